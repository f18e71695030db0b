"""What is written to the wire and read back is what it was."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import cases, enums, letters, orders, subjects
from gateway.domain.cases import DropoutReason, Whereabouts, WhereaboutsKind
from gateway.domain.errors import Reason, Refusal
from gateway.domain.four_steps import (
    Ladder,
    Respondent,
    RetrievalStep,
    ServiceMethod,
    StepOutcome,
    StepRecord,
)
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterLine, LetterState, LineState, Urgency
from gateway.domain.orders import OrderState, RetrievalOrder
from gateway.domain.organisations import OrgId
from gateway.domain.subjects import GuardianContact, HukouAssertion, HukouFinding, PersonIdentity
from gateway.domain.titles import Epoch, Title, TitleCause, TitleRef
from gateway.v1 import letter_pb2

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
POLICE = OrgId.parse("53/psb")
BEYOND = 9999

words = st.text("甲乙丙丁abc·", max_size=12)
some_words = st.text("甲乙丙丁abc·", min_size=1, max_size=12)
uuids = st.uuids().map(str)
counties = st.sampled_from(["530102", "530627", "530681"])
bureaus = counties.map(lambda code: OrgId.parse(f"{code}/edu"))
schools = counties.map(lambda code: OrgId.parse(f"{code}/sch/3153000123"))
townships = counties.map(lambda code: OrgId.parse(f"{code}001/twn"))
days = st.dates(min_value=date(2000, 1, 1))
optional_days = days.map(date.isoformat) | st.just("")
moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
refs = st.builds(
    TitleRef, st.builds(Epoch, st.integers(1, 99), st.integers(0, 99)), hashes, bureaus
)
whereabouts = st.builds(
    Whereabouts,
    kind=st.sampled_from(WhereaboutsKind),
    division=counties | st.just("44") | st.just(""),
    basis=words,
    source=st.none() | bureaus,
    recorded_at=st.none() | moments,
)


@given(refs)
def test_title_references(ref: TitleRef) -> None:
    """A title by name."""
    wire = cases.encode_title_ref(ref)
    assert wire is not None
    assert cases.decode_title_ref(wire) == ref
    assert cases.encode_title_ref(None) is None


@given(
    st.builds(
        Title,
        case_id=uuids,
        epoch=st.builds(Epoch, st.integers(1, 99), st.integers(0, 99)),
        holder=bureaus,
        maker=bureaus,
        previous_hash=hashes | st.just(""),
        cause=st.sampled_from(TitleCause),
        cause_event_id=uuids,
        hash=hashes,
    )
)
def test_titles(title: Title) -> None:
    """A title; its own hash is that of the bytes and comes from outside."""
    assert cases.decode_title(cases.encode_title(title), title.hash) == title


@given(whereabouts)
def test_whereabouts(stated: Whereabouts) -> None:
    """Where a child is, who said so and when."""
    wire = cases.encode_whereabouts(stated)
    assert wire is not None
    assert cases.decode_whereabouts(wire) == stated


@pytest.mark.parametrize("reason", DropoutReason)
def test_reasons(reason: DropoutReason) -> None:
    """A reason of dropout; what was not said is unknown."""
    value = enums.wire(reason)
    assert cases.decode_reason(value) is reason
    assert cases.decode_reason(0) is DropoutReason.UNKNOWN


@given(
    st.builds(
        HukouAssertion,
        finding=st.sampled_from(HukouFinding),
        county=counties,
        township=counties.map(lambda code: f"{code}001") | st.just(""),
        since=optional_days,
        snapshot_at=moments,
        source=st.just(POLICE),
        query_id=uuids | st.just(""),
    )
)
def test_statements_on_the_household(stated: HukouAssertion) -> None:
    """What public security states, of a child named by its token alone."""
    wire = subjects.encode_hukou("token", stated)
    assert wire is not None
    assert wire.subject_id == "token"
    assert subjects.decode_hukou(wire, POLICE) == stated
    assert subjects.encode_hukou("token", None) is None


@given(st.builds(GuardianContact, words, st.text("0123456789", max_size=20), words, words))
def test_guardians(guardian: GuardianContact) -> None:
    """A guardian as typed in, and as it lies in the vault."""
    wire = subjects.encode_guardian(guardian)
    assert subjects.decode_guardian(wire) == guardian
    assert subjects.read_guardian(wire) == guardian


@given(st.builds(PersonIdentity, some_words, birth_date=days, sex=st.none()))
def test_children_without_papers(child: PersonIdentity) -> None:
    """A child that has no number at all is known by name and day of birth."""
    wire = subjects.encode_identity(child)
    assert subjects.read_identity(wire) == child
    assert subjects.decode_identity(wire, date.max) == child


steps = st.builds(
    StepRecord,
    step=st.sampled_from(RetrievalStep),
    outcome=st.sampled_from(StepOutcome),
    date=days,
    service=st.none() | st.sampled_from(ServiceMethod),
    document_no=words,
    legal_basis=words,
    respondent=st.sampled_from(Respondent),
    evidence_hash=hashes | st.just(""),
)


@given(steps)
def test_steps(step: StepRecord) -> None:
    """A step of the procedure."""
    assert orders.decode_step(orders.encode_step(step)) == step


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"respondent": BEYOND}, "step.respondent"),
        ({"service": BEYOND}, "step.service"),
        ({"step": 0}, "step.step"),
        ({"outcome": BEYOND}, "step.outcome"),
        ({"evidence_hash": b"short"}, "step.evidence_hash"),
        ({"date": ""}, "step.date"),
    ],
)
def test_a_step_out_of_form_names_its_field(change: dict[str, object], field: str) -> None:
    """Nothing unknown is taken for something harmless."""
    record = StepRecord(RetrievalStep.EDUCATION, StepOutcome.STARTED, NOW.date())
    wire = orders.encode_step(record)
    for name, value in change.items():
        setattr(wire, name, value)
    with pytest.raises(Refusal) as caught:
        orders.decode_step(wire)
    assert caught.value.field == field


@given(
    st.builds(
        RetrievalOrder,
        id=uuids,
        order_no=some_words,
        case_id=uuids,
        subject_id=uuids,
        issuer=bureaus,
        township=townships,
        state=st.sampled_from(OrderState),
        issued_at=moments,
        changed_at=moments,
        version=st.integers(1, 99),
        ladder=st.lists(steps, max_size=2).map(lambda made: Ladder(tuple(made))),
        officer_post=words,
    )
)
def test_orders(order: RetrievalOrder) -> None:
    """What is sent of an order is what its issuer said; the receiver's record begins anew."""
    begun = RetrievalOrder(
        *(order.id, order.order_no, order.case_id, order.subject_id, order.issuer),
        *(order.township, OrderState.ISSUED, order.issued_at, NOW),
    )
    assert orders.decode_issued(orders.encode_issued(order), NOW) == begun
    shown = orders.encode_order(order)
    assert [orders.decode_step(step) for step in shown.steps] == list(order.ladder.steps)
    assert (shown.version, shown.officer_post) == (order.version, order.officer_post)


lines = st.builds(
    LetterLine,
    line_no=st.just(0),
    case_id=uuids,
    subject_id=uuids,
    enrolment_county=counties,
    hukou_county=counties | st.just("44"),
    school=schools,
    jurisdiction_row=st.sampled_from(["J2", "J3", "J16"]),
    first_absent_day=optional_days,
    episode=st.integers(1, 9),
    title=st.none() | refs,
    state=st.sampled_from(LineState),
)
sent_letters = st.builds(
    Letter,
    id=uuids,
    kind=st.sampled_from(LetterKind),
    state=st.sampled_from(LetterState),
    sender=bureaus,
    recipient=bureaus,
    title=some_words,
    lines=st.lists(lines, min_size=1, max_size=3).map(
        lambda made: tuple(replace(line, line_no=n) for n, line in enumerate(made, 1))
    ),
    changed_at=moments,
    version=st.integers(1, 99),
    letter_no=some_words,
    copy_to=st.lists(bureaus, max_size=2).map(tuple),
    signatory_post=st.just("APPROVER"),
    sign_date=days.map(date.isoformat),
    reply_requested_by=optional_days,
    urgency=st.none() | st.sampled_from(Urgency),
    dispatched_at=st.none() | moments,
    registry_no=words,
)


@given(sent_letters)
def test_letters(letter: Letter) -> None:
    """The receiver reads what was signed, and its own record begins as delivered and open."""
    wire = letters.encode_dispatched(letters.encode_letter(letter)).letter
    assert not (wire.version)
    assert not (wire.state)
    assert not (wire.HasField("dispatched_at"))
    expected = replace(
        letter,
        state=LetterState.DELIVERED,
        lines=tuple(replace(line, state=LineState.OPEN) for line in letter.lines),
        changed_at=NOW,
        delivered_at=NOW,
        dispatched_at=None,
        version=1,
        registry_no="",
        event_id="event",
    )
    assert letters.decode_dispatched(wire, "event", NOW) == expected


@given(sent_letters, st.sampled_from([[], [2, 1], [1, 1], [0], [1, 3]]))
def test_lines_are_numbered_from_one(letter: Letter, numbers: list[int]) -> None:
    """A letter without lines, or with a hole or a double in their numbers, is refused."""
    wire = letters.encode_dispatched(letters.encode_letter(letter)).letter
    first = letter_pb2.LetterLine()
    first.CopyFrom(wire.lines[0])
    del wire.lines[:]
    for number in numbers:
        first.line_no = number
        wire.lines.add().CopyFrom(first)
    with pytest.raises(Refusal) as caught:
        letters.decode_dispatched(wire, "event", NOW)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "lines")
