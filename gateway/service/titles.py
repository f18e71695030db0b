"""Making, storing and checking signed titles at one organisation's store."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from google.protobuf.message import DecodeError

from gateway.codec import cases, fields
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.organisations import OrgId, Role
from gateway.domain.payload_types import TITLE
from gateway.domain.titles import Epoch, Title, merge_chain
from gateway.service.desk import Desk
from gateway.service.ended_keys import NOT_YET, verify_title
from gateway.service.recovery import require_memory
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from gateway.v1.title_pb2 import Title as WireTitle


def read_title(envelope: SignedEnvelope) -> Title:
    """Decode a title whose signature was checked. Raises Refusal."""
    return _title(envelope.payload)


@lru_cache(maxsize=1024)  # every event of a case brings its titles again
def _title(payload: bytes) -> Title:
    return cases.decode_title(WireTitle.FromString(payload), hashlib.sha256(payload).hexdigest())


def known_titles(desk: Desk, case_id: str) -> list[Title]:
    """Return the titles of a case in this organisation's store, oldest first."""
    chain = desk.work.titles.chain(desk.org, case_id)
    return [read_title(SignedEnvelope.FromString(envelope)) for envelope in chain]


def make_title(desk: Desk, title: Title) -> Title:
    """Sign and store a title that this organisation makes; return it with its hash.

    Raises Parked(RECOVERING): who does not remember whether he granted grants nothing.
    """
    require_memory(desk)
    wire = cases.encode_title(title)
    made_at = fields.timestamp(desk.now)
    if made_at is not None:
        wire.made_at.CopyFrom(made_at)
    envelope = desk.tools.signer.sign(desk.org, TITLE, wire.SerializeToString())
    signed = read_title(envelope)
    _store(desk, signed, envelope)
    return signed


def take_titles(desk: Desk, envelopes: Iterable[SignedEnvelope], brought_by: OrgId) -> None:
    """Check titles that came with an event and store those that are new here (rules 1, 2, 7).

    One that is known here was checked when it came first; keys end, and what they signed does not.
    Raises Refusal: what the verifier finds, SIGNER_MISMATCH when the signer is not the maker, or
    TITLE_INVALID when the chain does not hold together.
    """
    by_case: dict[str, list[tuple[Title, SignedEnvelope]]] = {}
    known: dict[str, list[Title]] = {}
    for envelope in envelopes:
        title = _read_title(envelope)
        if title.case_id not in known:
            known[title.case_id] = known_titles(desk, title.case_id)
        if title.hash in {k.hash for k in known[title.case_id]}:
            continue
        _check_signature(desk, title, envelope, brought_by)
        by_case.setdefault(title.case_id, []).append((title, envelope))
    for case_id, brought in by_case.items():
        envelopes_by_hash = {title.hash: envelope for title, envelope in brought}
        if not known[case_id]:
            _check_first_maker(desk, case_id, [title for title, _ in brought])
        for title in merge_chain(known[case_id], [title for title, _ in brought]):
            _store(desk, title, envelopes_by_hash[title.hash])


def titles_beside(desk: Desk, event: Event) -> list[SignedEnvelope]:
    """Return the stored titles of an event's cases, to travel beside it.

    Beside an own event go the titles up to the one under which it was stated: a newer one would
    make the act look stale to a receiver that gets both at once. Beside another's fact that is
    passed on go all, because they prove the right to pass it on.
    """
    own = event.source == str(desk.org)
    beside = []
    for reference in event.cases:
        stated = Epoch(reference.title.epoch.term, reference.title.epoch.number)
        for stored in desk.work.titles.chain(desk.org, reference.case_id):
            envelope = SignedEnvelope.FromString(stored)
            if not own or read_title(envelope).epoch <= stated:
                beside.append(envelope)
    return beside


def _check_first_maker(desk: Desk, case_id: str, brought: Sequence[Title]) -> None:
    """Only the bureau of enrolment makes the first title of a case known here before it had one."""
    case = desk.work.cases.get(desk.org, case_id)
    maker = min(brought, key=lambda title: title.epoch).maker
    if case is not None and maker != OrgId(case.enrolment_county, Role.EDU):
        raise Refusal(
            Reason.TITLE_INVALID,
            f"{maker} does not confirm dropouts of county {case.enrolment_county}.",
            "The education bureau of the enrolment county makes the first title.",
        )


def _read_title(envelope: SignedEnvelope) -> Title:
    """Read a title that is still to be checked. Raises Refusal(TITLE_INVALID)."""
    try:
        return read_title(envelope)
    except DecodeError:
        raise Refusal(
            Reason.TITLE_INVALID, "A title cannot be read.", "Ask the sender for the chain again."
        ) from None


def _check_signature(desk: Desk, title: Title, envelope: SignedEnvelope, brought_by: OrgId) -> None:
    """Raise Refusal: what the verifier finds, or SIGNER_MISMATCH when the maker did not sign it.

    Raises Parked where the directory here may only be older than the key.
    """
    verification = verify_title(desk.tools, envelope, desk.now, brought_by=brought_by)
    if verification.refusal is not None:
        kind = Parked if verification.refusal in NOT_YET else Refusal
        raise kind(
            verification.refusal,
            "The signature of a title does not hold.",
            "Ask the sender for the chain of titles as it was signed.",
        )
    if verification.signer != title.maker:
        raise Refusal(
            Reason.SIGNER_MISMATCH,
            f"Title {title.epoch} is not signed by its maker.",
            "Ask the sender for the chain of titles as it was signed.",
        )


def _store(desk: Desk, title: Title, envelope: SignedEnvelope) -> None:
    epoch = title.epoch
    desk.work.titles.add(
        desk.org,
        title.case_id,
        epoch.term,
        epoch.number,
        title.hash,
        envelope.SerializeToString(),
    )
