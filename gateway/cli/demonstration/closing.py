"""The closing summary: what the story left behind, read from the nodes and the platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.reference import platform
from gateway.cli.demonstration.cast import WUHUA, ZHENXIONG, Cast
from gateway.cli.demonstration.lines import Said, term_of
from gateway.cli.demonstration.stage import EFFECT_SECONDS, Stage
from gateway.cli.demonstration.watcher import Watcher
from gateway.cli.estate_plan import PLATFORM, POLICE
from gateway.cli.words import Language
from gateway.domain.organisations import OrgId
from gateway.v1 import agency_pb2, case_pb2, letter_pb2
from gateway.v1.jurisdiction_pb2 import LetterKind

_PAGE = 200
_LETTER, _CASE, _ENTRY = Said("Letter", "函"), Said("Case", "案件"), Said("Platform", "平台")
_REFUSAL, _SIGNATURES = Said("Refusal shown", "拒绝示例"), Said("Signatures held", "验签通过")


@dataclass(frozen=True)
class Outcome:
    """What is left at the end.

    Attributes:
        letters: number, kind and state of each letter, as its sender has it.
        cases: identifier, state, holder and row of each case, as the enrolment county has it.
        events_verified: verifications of a signature that held, each event once at each place.
        subscriber_events: events that the subscriber got and verified.
        platform_entries: number and matter of each entry on the platform.
        refusals: reasons of the refusals shown.
    """

    letters: tuple[tuple[str, Said, Said], ...]
    cases: tuple[tuple[str, Said, str, str], ...]
    events_verified: int
    subscriber_events: int
    platform_entries: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "letters": [
                {"letter_no": number, "letter_kind": kind.as_json(), "state": state.as_json()}
                for number, kind, state in self.letters
            ],
            "cases": [
                {"case_id": case_id, "state": state.as_json(), "holder": holder, "row": row}
                for case_id, state, holder, row in self.cases
            ],
            "events_verified": self.events_verified,
            "subscriber_events": self.subscriber_events,
            "platform_entries": [
                {"entry_no": number, "matter": matter} for number, matter in self.platform_entries
            ],
            "refusals": list(self.refusals),
        }

    def rows(self, language: Language) -> list[tuple[str, ...]]:
        """Return it for the screen, four columns."""
        letters = [
            (_LETTER, number, kind.within(language), state.within(language))
            for number, kind, state in self.letters
        ]
        cases = [
            (_CASE, row, holder, state.within(language)) for _, state, holder, row in self.cases
        ]
        entries = [(_ENTRY, number, matter, "") for number, matter in self.platform_entries]
        refusals = [
            (_REFUSAL, reason, term_of(f"ERROR_REASON_{reason}").within(language), "")
            for reason in self.refusals
        ]
        share = Said(
            f"{self.subscriber_events} of them by the subscriber",
            f"其中订阅方 {self.subscriber_events} 次",
        )
        signatures = (_SIGNATURES, str(self.events_verified), share.within(language), "")
        rows = [*letters, *cases, *entries, *refusals, signatures]
        return [(heading.within(language), *cells) for heading, *cells in rows]


def close(stage: Stage, cast: Cast, watcher: Watcher, case_ids: Sequence[str]) -> Outcome:
    """Wait until nothing is under way any more, check every case file, and sum up.

    Raises:
        StepFailed: something stays under way, or a signature in a case file does not hold.
    """
    for agency in (POLICE, PLATFORM):
        _require_answered(stage, agency)
    for org in (WUHUA, ZHENXIONG):
        for case_id in case_ids:
            _check_file(stage, org, case_id)
    watcher.catch_up(EFFECT_SECONDS)
    seen = {(str(WUHUA), event.event_id) for event in watcher.seen}
    return Outcome(
        letters=_letters(stage),
        cases=tuple(_case(stage, case_id) for case_id in case_ids),
        events_verified=len(stage.verified | seen),
        subscriber_events=len(seen),
        platform_entries=tuple(
            (entry.entry_no, entry.matter) for entry in platform.entries(cast.systems.platform)
        ),
        refusals=tuple(stage.refusals),
    )


def _require_answered(stage: Stage, agency: OrgId) -> None:
    """Every exchange that the story caused was waited for; none may be open or refused."""
    exchanges = stage.ask(
        agency, agency_pb2.ListExchangesRequest(page_size=_PAGE), agency_pb2.ListExchangesResponse
    ).exchanges
    states = {exchange.state for exchange in exchanges}
    stage.require(
        states == {agency_pb2.EXCHANGE_STATE_DONE}, f"{agency} answered all that it was asked"
    )


def _check_file(stage: Stage, org: OrgId, case_id: str) -> None:
    """Require that every signature in a case file holds."""
    entries = stage.ask(
        org,
        case_pb2.GetTimelineRequest(case_id=case_id, page_size=_PAGE),
        case_pb2.GetTimelineResponse,
    ).entries
    for entry in entries:
        stage.require(
            entry.signature_verified, f"the signature of event {entry.event_id} holds at {org}"
        )
        stage.verified.add((str(org), entry.event_id))


def _letters(stage: Stage) -> tuple[tuple[str, Said, Said], ...]:
    found = stage.ask(
        WUHUA, letter_pb2.ListLettersRequest(), letter_pb2.ListLettersResponse
    ).letters
    return tuple(
        (
            letter.letter_no,
            term_of(LetterKind.Name(letter.kind)),
            term_of(letter_pb2.LetterState.Name(letter.state)),
        )
        for letter in sorted(found, key=lambda letter: letter.letter_id)
    )


def _case(stage: Stage, case_id: str) -> tuple[str, Said, str, str]:
    case = stage.case(WUHUA, case_id)
    state = term_of(case_pb2.CaseState.Name(case.state))
    return case_id, state, case.holder, case.jurisdiction_row
