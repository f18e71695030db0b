"""U1: nodes of this version and the next one, in turn, while letters are on their way."""

import pytest
from sqlalchemy import select

from gateway.store import tables
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.faults.next_version_node import NEW_FIELD
from tests.faults.processes import NODE, ProcessProvince
from tests.faults.reporting import FaultReport
from tests.world.estate import ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

_NEXT = "tests.faults.next_version_node"


def facts_of_the_next_version(province: ProcessProvince, name: str) -> set[str]:
    """Return the facts in a node's store that have the new field in what was signed."""
    with province.engine(name).connect().execution_options(reading=True) as connection:
        rows = connection.execute(select(tables.events.c.event_id, tables.events.c.envelope)).all()
    return {
        event_id
        for event_id, envelope in rows
        if SignedEnvelope.FromString(envelope).payload.endswith(NEW_FIELD)
    }


@pytest.mark.fault("U1")
def test_versions_change_while_letters_travel(
    province: ProcessProvince, fault_report: FaultReport
) -> None:
    """Both counties go to the next version and back, one after the other: bytes stay as signed."""
    before = facts_of_the_next_version(province, "wuhua")
    story = Story(province)
    story.due(ZHENXIONG.division)
    for name, program, go_on in (
        ("wuhua", _NEXT, lambda: story.dispatched(ZHENXIONG)),
        ("zhenxiong", _NEXT, lambda: story.registered(ZHENXIONG)),
        ("wuhua", NODE, lambda: story.accepted(ZHENXIONG)),
        ("zhenxiong", NODE, lambda: story.seen_by(ZHENXIONG, "ASSIGNED")),
    ):
        province.replace(name, program)
        fault_report.inject(f"a node {'upgraded' if program is _NEXT else 'downgraded'}")
        go_on()
    with fault_report.healing():
        eventually(province.audit.settled, "everything receipted")
    new = facts_of_the_next_version(province, "wuhua") - before
    assert len(new) >= 2, "no fact of the next version came through"
    assert new & facts_of_the_next_version(province, "zhenxiong")
    fault_report.require(province.audit.healed())
