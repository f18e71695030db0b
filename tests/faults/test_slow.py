"""M11: a county that does not answer delays nobody but itself."""

import signal

import pytest

from gateway.domain.organisations import OrgId
from tests.faults.processes import ProcessProvince
from tests.faults.reporting import FaultReport
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

_LETTERS = 5


def waiting_for(province: ProcessProvince, receiver: OrgId) -> int:
    """Count the messages to a receiver that have no final receipt."""
    left = province.look(WUHUA, lambda work: work.outbox.lane(WUHUA, receiver))
    messages = province.look(
        WUHUA,
        lambda work: work.outbox.between(
            WUHUA, receiver, left.incarnation, 1, left.next_sequence - 1
        ),
    )
    return sum(message.state not in {"APPLIED", "REFUSED"} for message in messages)


@pytest.mark.fault("M11")
def test_a_county_that_stands_still_delays_itself_alone(
    province: ProcessProvince, fault_report: FaultReport
) -> None:
    """Letters pile up for it, while the others' cases go on from report to decision."""
    process = province.process("zhenxiong").process
    assert process is not None
    stories = [Story(province) for _ in range(_LETTERS)]
    process.send_signal(signal.SIGSTOP)
    try:
        for story in stories:
            story.due(ZHENXIONG.division)  # the school, the township and public security answer
            story.dispatched(ZHENXIONG)
        eventually(lambda: waiting_for(province, ZHENXIONG) == _LETTERS, "letters waiting")
        fault_report.inject("letters to a node that stands still", _LETTERS)
        assert province.serving("wuhua")
    finally:
        process.send_signal(signal.SIGCONT)
    with fault_report.healing():
        for story in stories:
            story.letter(WUHUA, "DELIVERED")
        eventually(province.audit.settled, "everything receipted")
    fault_report.require(province.audit.healed())
