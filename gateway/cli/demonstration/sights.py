"""What is looked for in a log: events of a case, answers about an object."""

from collections.abc import Callable

from gateway.cli.demonstration.lines import Said, term_of
from gateway.v1.agency_pb2 import PlatformMatter
from gateway.v1.event_pb2 import Event

Match = Callable[[Event], bool]
"""Says whether an event is the one looked for."""
Telling = Callable[[Event], Said]
"""Says what an event tells in particular."""


def of_case(case_id: str) -> Match:
    """Match events of a case."""
    return lambda event: any(reference.case_id == case_id for reference in event.cases)


def entry_of(matter: PlatformMatter.ValueType, object_id: str) -> Match:
    """Match the platform's answer about an object."""
    return lambda event: (
        event.platform_entry_recorded.matter == matter
        and event.platform_entry_recorded.object_id == object_id
    )


def told_of_entry(event: Event) -> Said:
    """Say what the platform answered: the number of the entry that its screen shows."""
    entry = event.platform_entry_recorded
    matter = term_of(PlatformMatter.Name(entry.matter))
    return Said(
        f"{entry.entry_no} ({matter.en}) on the platform's screen",
        f"平台登记编号 {entry.entry_no}({matter.zh})",
    )
