"""Fills the store of a node beside the node: children, cases held, and letters ready to be sent.

The rows are written by the gateway's own repositories, many in one transaction, as the use cases
that come before a letter would have left them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.reference.people import Child, child
from gateway.config import load_config
from gateway.crypto.clock import SystemClock
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.ids import SystemIds
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.verifier import DirectoryVerifier
from gateway.data.calendars import load_working_calendar
from gateway.data.divisions import load_divisions
from gateway.domain.cases import CaseState, DropoutCase, DropoutReason, Whereabouts, WhereaboutsKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterLine, LetterState, letter_title
from gateway.domain.organisations import OrgId, Role
from gateway.domain.subjects import (
    GuardianContact,
    HukouAssertion,
    HukouFinding,
    PersonIdentity,
    Subject,
)
from gateway.domain.titles import first_title
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.private_parts import narrative_part
from gateway.service.resolve_subject import keep_identity
from gateway.service.titles import make_title
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate, status
from gateway.store.vault_key import read_vault_key
from gateway.store.work import SqlWork

_CHILDREN = 125_000  # how many the reference data tell apart
_AT_ONCE = 200
_NARRATIVE = "该生自开学以来未到校，班主任家访时家长称其已随亲属返回户籍地，请协助查找并劝返。"
_POLICE = OrgId("53", Role.PSB)


class Seeder:
    """Writes into the store of one node as the organisations at home there."""

    def __init__(self, node_toml: Path) -> None:
        config = load_config(node_toml, {})
        clock = SystemClock()
        directory = SignedDirectory(config.directory.file, config.directory.authority.read_bytes())
        homes = {OrgId.parse(home.organisation): home for home in config.organisations}
        keyring = Keyring.load({org: (*home.sign, *home.seal) for org, home in homes.items()})
        self._tools = Tools(
            clock=clock,
            ids=SystemIds(),
            directory=directory,
            signer=DirectorySigner(keyring, directory, clock),
            verifier=DirectoryVerifier(directory),
            sealer=KeyringSealer(keyring),
            divisions=load_divisions(),
            working_days=load_working_calendar(),
            home=frozenset(homes),
        )
        self._vault_key = read_vault_key(config.store.vault_key)
        self._engine = open_engine(config.store.url)
        if status(self._engine).current is None:
            migrate(self._engine)

    def signed_letters(self, sender: OrgId, recipient: OrgId, count: int) -> list[str]:
        """Write that many signed hand-over letters, each about another case and child."""
        made: list[str] = []
        while len(made) < count:
            with self.desk(sender, "APPROVER") as desk:
                some = range(len(made), min(len(made) + _AT_ONCE, count))
                made += [_signed_letter(desk, recipient, number) for number in some]
        return made

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def desk(self, org: OrgId, post: str) -> Iterator[Desk]:
        """Give the desk of one transaction, committed at the end."""
        with self._engine.begin() as connection:
            work = SqlWork(connection, self._vault_key)
            yield Desk(work, self._tools, Actor(org, post), self._tools.clock.now())


def school_days(count: int) -> Sequence[str]:
    """Return the last school days before today, `YYYY-MM-DD`, oldest first."""
    calendar = load_working_calendar()
    days: list[str] = []
    day = datetime.now(UTC).date()
    while len(days) < count:
        day -= timedelta(days=1)
        if calendar.is_working_day(day):
            days.append(day.isoformat())
    return days[::-1]


def nth_child(number: int) -> Child:
    """Return a child of the reference data."""
    return child(number % _CHILDREN)


def _signed_letter(desk: Desk, recipient: OrgId, number: int) -> str:
    case = _held_case(desk, recipient, number)
    letter = Letter(
        id=desk.tools.ids.new(),
        kind=LetterKind.HANDOVER,
        state=LetterState.SIGNED,
        sender=desk.org,
        recipient=recipient,
        title=letter_title(LetterKind.HANDOVER, 1),
        lines=(
            LetterLine(
                line_no=1,
                case_id=case.id,
                subject_id=case.subject_id,
                enrolment_county=case.enrolment_county,
                hukou_county=case.hukou_county,
                school=case.school,
                jurisdiction_row=case.jurisdiction_row,
                whereabouts=case.whereabouts,
                first_absent_day=case.first_absent_day,
                reason=case.reason,
                title=case.title,
            ),
        ),
        changed_at=desk.now,
        letter_no=f"教函〔{desk.today.year}〕{number + 1}号",
        sign_date=desk.today.isoformat(),
        signatory_post=desk.actor.post,
        reply_requested_by=desk.today.isoformat(),
    )
    desk.work.letters.put(desk.org, letter)
    desk.work.vault.put(desk.org, letter.id, narrative_part(desk, _NARRATIVE))
    return letter.id


def _held_case(desk: Desk, recipient: OrgId, number: int) -> DropoutCase:
    """Write a case whose child is in its household county: row J3, a hand-over letter is due."""
    hukou = HukouAssertion(
        HukouFinding.FOUND, recipient.division, "", "", desk.now, _POLICE, desk.tools.ids.new()
    )
    subject = Subject(desk.tools.ids.token(), desk.now, hukou=(hukou,))
    desk.work.subjects.put(desk.org, subject)
    keep_identity(desk, subject.id, *identity_of(nth_child(number)))
    case_id = desk.tools.ids.new()
    title = make_title(desk, first_title(case_id, desk.org, desk.tools.ids.new()))
    case = DropoutCase(
        id=case_id,
        subject_id=subject.id,
        state=CaseState.JURISDICTION_PENDING,
        school=OrgId(desk.org.division, Role.SCH, "3153010201"),
        enrolment_county=desk.org.division,
        opened_at=desk.now,
        changed_at=desk.now,
        holder=desk.org,
        title=title.ref,
        hukou_county=recipient.division,
        whereabouts=Whereabouts(
            WhereaboutsKind.IN_HUKOU_COUNTY, source=desk.org, recorded_at=desk.now
        ),
        jurisdiction_row="J3",
        responsible=recipient,
        responsible_since=desk.tools.ids.new(),
        reason=DropoutReason.LEARNING_DIFFICULTY,
        first_absent_day=desk.today.isoformat(),
    )
    desk.work.cases.put(desk.org, case)
    return case


def identity_of(one: Child) -> tuple[PersonIdentity, GuardianContact]:
    """Return identity and guardian of a child in the gateway's terms."""
    identity = PersonIdentity(one.name, one.id_number, one.enrolment_number, one.birth_date)
    guardian = GuardianContact(
        one.guardian_name, one.guardian_phone.replace("-", ""), "", one.guardian_relation
    )
    return identity, guardian
