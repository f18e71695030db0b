"""Official letters 函 with their lines, one child each, decided each for itself (D.3, B31)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.cases import DropoutReason, Whereabouts, stale_version
from gateway.domain.errors import Reason, Refusal
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.organisations import OrgId
from gateway.domain.titles import TitleRef
from gateway.domain.transitions import Machine


class LetterState(StrEnum):
    """State of a letter (D.3)."""

    DRAFT = "DRAFT"
    SIGNED = "SIGNED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    REGISTERED = "REGISTERED"
    ACCEPTED = "ACCEPTED"
    RETURNED = "RETURNED"
    NOTED = "NOTED"
    RETRACTED = "RETRACTED"
    REPLIED = "REPLIED"
    ARCHIVED = "ARCHIVED"
    UNDELIVERABLE = "UNDELIVERABLE"
    PAPER_FALLBACK = "PAPER_FALLBACK"
    REGISTERED_OFFLINE = "REGISTERED_OFFLINE"


class LetterTrigger(StrEnum):
    """What moves a letter."""

    SIGN = "SIGN"
    DISPATCH = "DISPATCH"
    DELIVER = "DELIVER"
    REGISTER = "REGISTER"
    ACCEPT = "ACCEPT"
    RETURN = "RETURN"
    NOTE = "NOTE"
    RETRACT = "RETRACT"
    REPLY = "REPLY"
    ARCHIVE = "ARCHIVE"
    GIVE_UP = "GIVE_UP"
    SEND_ON_PAPER = "SEND_ON_PAPER"
    REGISTER_OFFLINE = "REGISTER_OFFLINE"


class LineState(StrEnum):
    """State of one line."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    GRANTED = "GRANTED"
    RETURNED = "RETURNED"
    NOTED = "NOTED"
    RETRACTED = "RETRACTED"
    OFFER_ENDED = "OFFER_ENDED"


class LineTrigger(StrEnum):
    """What moves a line."""

    ACCEPT = "ACCEPT"
    GRANT = "GRANT"
    RETURN = "RETURN"
    NOTE = "NOTE"
    RETRACT = "RETRACT"
    END = "END"


class ReturnReason(StrEnum):
    """Why a line goes back; only these (B02)."""

    HUKOU_NOT_HERE = "HUKOU_NOT_HERE"
    HUKOU_MOVED_OUT = "HUKOU_MOVED_OUT"
    PERSON_UNKNOWN = "PERSON_UNKNOWN"
    LOCATION_IN_SENDER_COUNTY = "LOCATION_IN_SENDER_COUNTY"
    DECEASED = "DECEASED"
    DUPLICATE_LETTER = "DUPLICATE_LETTER"
    MISSING_ATTACHMENT = "MISSING_ATTACHMENT"
    WRONG_PERSON = "WRONG_PERSON"
    OTHER = "OTHER"
    LOCATION_CHANGED = "LOCATION_CHANGED"


class Urgency(StrEnum):
    """Urgency of an official document (公文处理工作条例 art. 9); None is ordinary."""

    URGENT = "URGENT"
    VERY_URGENT = "VERY_URGENT"


_S, _T = LetterState, LetterTrigger
_UNDERWAY = (_S.SIGNED, _S.DISPATCHED, _S.DELIVERED, _S.REGISTERED)
_ANSWERED = (_S.ACCEPTED, _S.RETURNED, _S.NOTED)

MACHINE = Machine(
    "letter",
    {
        (_S.DRAFT, _T.SIGN): _S.SIGNED,
        (_S.SIGNED, _T.DISPATCH): _S.DISPATCHED,
        (_S.DISPATCHED, _T.DELIVER): _S.DELIVERED,
        # The receiver's answer can overtake its receipt: an answer proves delivery.
        **{(s, _T.REGISTER): _S.REGISTERED for s in (_S.DISPATCHED, _S.DELIVERED)},
        **{(s, _T.DELIVER): s for s in (_S.DELIVERED, _S.REGISTERED, *_ANSWERED, _S.RETRACTED)},
        (_S.REGISTERED, _T.ACCEPT): _S.ACCEPTED,
        (_S.REGISTERED, _T.RETURN): _S.RETURNED,
        (_S.REGISTERED, _T.NOTE): _S.NOTED,
        **{(s, _T.RETRACT): _S.RETRACTED for s in _UNDERWAY},
        **{(s, _T.REPLY): _S.REPLIED for s in _ANSWERED},
        **{(s, _T.ARCHIVE): _S.ARCHIVED for s in (*_ANSWERED, _S.REPLIED, _S.RETRACTED)},
        (_S.DISPATCHED, _T.GIVE_UP): _S.UNDELIVERABLE,
        (_S.UNDELIVERABLE, _T.SEND_ON_PAPER): _S.PAPER_FALLBACK,
        (_S.PAPER_FALLBACK, _T.REGISTER_OFFLINE): _S.REGISTERED_OFFLINE,
    },
)

_L, _U = LineState, LineTrigger

LINE_MACHINE = Machine(
    "line of a letter",
    {
        (_L.OPEN, _U.ACCEPT): _L.ACCEPTED,
        (_L.OPEN, _U.RETURN): _L.RETURNED,
        (_L.OPEN, _U.NOTE): _L.NOTED,
        (_L.OPEN, _U.RETRACT): _L.RETRACTED,
        (_L.ACCEPTED, _U.GRANT): _L.GRANTED,
        (_L.ACCEPTED, _U.END): _L.OFFER_ENDED,
        # At the sender an acceptance turns into a grant or an ended offer in one transaction; at
        # the receiver the retraction may arrive after its own acceptance left.
        (_L.ACCEPTED, _U.RETRACT): _L.ACCEPTED,
        # The child came back while the offer was open: the acceptance finds nothing to take over.
        (_L.OPEN, _U.END): _L.OFFER_ENDED,
        (_L.RETRACTED, _U.END): _L.OFFER_ENDED,
    },
)


@dataclass(frozen=True)
class LetterLine:
    """One child on a letter. Field meanings as in letter.proto."""

    line_no: int
    case_id: str
    subject_id: str
    enrolment_county: str
    hukou_county: str
    school: OrgId
    jurisdiction_row: str = ""
    whereabouts: Whereabouts | None = None
    first_absent_day: str = ""
    reason: DropoutReason = DropoutReason.UNKNOWN
    episode: int = 1
    title: TitleRef | None = None
    state: LineState = LineState.OPEN
    return_reason: ReturnReason | None = None
    return_county: str = ""


@dataclass(frozen=True)
class Letter:
    """A letter as one organisation sees it. Field meanings as in letter.proto."""

    id: str
    kind: LetterKind
    state: LetterState
    sender: OrgId
    recipient: OrgId
    title: str
    lines: tuple[LetterLine, ...]
    changed_at: datetime
    version: int = 1
    letter_no: str = ""
    copy_to: tuple[OrgId, ...] = ()
    signatory_post: str = ""
    sign_date: str = ""
    reply_requested_by: str = ""
    urgency: Urgency | None = None
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None
    registry_no: str = ""
    event_id: str = ""

    def moved(self, trigger: LetterTrigger, now: datetime, **fields: object) -> "Letter":
        """Return the letter after the trigger. Raises Refusal(ILLEGAL_TRANSITION)."""
        return self.changed(now, state=MACHINE.next(self.state, trigger), **fields)

    def changed(self, now: datetime, **fields: object) -> "Letter":
        """Return the letter with other field values, as its next version."""
        return replace(self, version=self.version + 1, changed_at=now, **fields)  # type: ignore[arg-type]

    def line(self, line_no: int) -> LetterLine:
        """Return the line with that number. Raises Refusal(INVALID_FIELD) when there is none."""
        for line in self.lines:
            if line.line_no == line_no:
                return line
        raise Refusal(
            Reason.INVALID_FIELD,
            f"The letter has no line {line_no}.",
            f"It has the lines 1 to {len(self.lines)}.",
            field="line_nos",
        )

    def open_lines(self) -> tuple[int, ...]:
        """Numbers of the lines not answered yet."""
        return tuple(line.line_no for line in self.lines if line.state is LineState.OPEN)

    def with_lines(
        self, line_nos: Iterable[int], trigger: LineTrigger, now: datetime, **fields: object
    ) -> "Letter":
        """Return the letter with the trigger applied to those lines.

        Raises Refusal(INVALID_FIELD) for a line it has not, Refusal(ILLEGAL_TRANSITION) for a line
        that does not take it.
        """
        lines = {line.line_no: line for line in self.lines}
        for number in line_nos:
            line = self.line(number)
            state = LINE_MACHINE.next(line.state, trigger)
            lines[number] = replace(line, state=state, **fields)  # type: ignore[arg-type]
        return self.changed(now, lines=tuple(lines.values()))

    def answered(self, now: datetime) -> "Letter":
        """Return the letter moved on when its last open line has been answered.

        ACCEPTED when at least one line was accepted, else RETURNED.
        """
        if self.open_lines() or self.state is not LetterState.REGISTERED:
            return self
        taken = {LineState.ACCEPTED, LineState.GRANTED}
        accepted = any(line.state in taken for line in self.lines)
        return self.moved(LetterTrigger.ACCEPT if accepted else LetterTrigger.RETURN, now)

    def require_version(self, version: int) -> None:
        """Raise Refusal(STALE_VERSION) unless the caller has seen the present version."""
        if version != self.version:
            raise stale_version(version, self.version)

    def require_kind(self, *kinds: LetterKind) -> None:
        """Raise Refusal(WRONG_LETTER_KIND) unless the letter is of one of the kinds."""
        if self.kind not in kinds:
            raise Refusal(
                Reason.WRONG_LETTER_KIND,
                f"A letter of kind {self.kind} cannot be answered so.",
                "A hand-over is accepted or returned, a notification is noted or returned.",
                kind=self.kind,
            )


def letter_title(kind: LetterKind, count: int) -> str:
    """Return the title (机关+事由+文种) of a letter about `count` children, naming none of them."""
    matter = {
        LetterKind.NOTIFICATION: "告知非本地户籍学生辍学情况",
        LetterKind.HANDOVER: "函告劝返辍学学生",
        LetterKind.ASSISTANCE: "协助查找辍学学生",
        LetterKind.REPLY: "回复来函",
        LetterKind.HANDBACK: "退交辍学学生劝返",
        LetterKind.EXTERNAL: "商请劝返辍学学生",
    }[kind]
    return f"关于{matter}的函（{count}人）"
