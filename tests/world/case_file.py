"""The case of one child as each organisation sees it, read over gRPC."""

from typing import Any

from gateway.domain.organisations import OrgId
from gateway.v1 import case_pb2, letter_pb2
from tests.world.clients import Refused
from tests.world.estate import WUHUA
from tests.world.running import RunningProvince
from tests.world.waiting import eventually


class CaseFile:
    """A child that no other test knows, its case and its last letter."""

    def __init__(self, world: RunningProvince) -> None:
        self.world = world
        self.child = world.next_child()
        self.absence_id = self.case_id = self.letter_id = ""

    def case(self, org: OrgId = WUHUA) -> case_pb2.DropoutCase:
        """Return the case as an organisation sees it now."""
        request = case_pb2.GetCaseRequest(case_id=self.case_id)
        case: case_pb2.DropoutCase = self.world.ask(org, "CaseService/GetCase", request).case
        return case

    def knows(self, org: OrgId) -> bool:
        """Whether the organisation has the case at all."""
        return self.world.look(org, lambda work: work.cases.get(org, self.case_id)) is not None

    def seen_by(self, org: OrgId, state: str = "") -> case_pb2.DropoutCase:
        """Wait until the organisation has the case (in that state) and return it."""
        eventually(lambda: self.knows(org), f"{org} having the case")

        def present() -> Any:
            case = self.case(org)
            name = case_pb2.CaseState.Name(case.state).removeprefix("CASE_STATE_")
            return case if state in {"", name} else None

        case: case_pb2.DropoutCase = eventually(present, f"{org} seeing the case {state}")
        return case

    def letter(self, org: OrgId, state: str = "") -> letter_pb2.Letter:
        """Wait until the organisation has the letter (in that state) and return it."""
        eventually(
            lambda: self.world.look(org, lambda work: work.letters.get(org, self.letter_id)),
            f"{org} having the letter",
        )
        request = letter_pb2.GetLetterRequest(letter_id=self.letter_id)

        def present() -> Any:
            letter = self.world.ask(org, "LetterService/GetLetter", request).letter
            name = letter_pb2.LetterState.Name(letter.state).removeprefix("LETTER_STATE_")
            return letter if state in {"", name} else None

        letter: letter_pb2.Letter = eventually(present, f"the letter {state} at {org}")
        return letter

    def timeline(self, org: OrgId) -> list[case_pb2.TimelineEntry]:
        """Return the case file of an organisation."""
        request = case_pb2.GetTimelineRequest(case_id=self.case_id, page_size=500)
        return list(self.world.ask(org, "CaseService/GetTimeline", request).entries)

    def facts(self, org: OrgId) -> list[str]:
        """Return the kinds of facts in the case file, in order."""
        return [entry.type.removeprefix("EVENT_TYPE_") for entry in self.timeline(org)]

    def refused(self, org: OrgId, method: str, request: Any, post: str = "CASE_OFFICER") -> Refused:
        """Make a call that must be refused."""
        return self.world.refused(org, method, request, post)
