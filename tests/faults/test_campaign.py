"""K7: any process may die at any moment, again and again, while officers work."""

import os
import random
from collections.abc import Iterator

import pytest

from adapters.reference import platform
from gateway.ports.failpoints import Failpoint
from tests.faults.campaign import ANY_MOMENT, Plan, carry_out
from tests.faults.load import LoadedProvince
from tests.faults.reporting import FaultReport
from tests.world.estate import PLATFORM

SEED = int(os.environ.get("FAULT_SEED", "1"))
MINUTES = float(os.environ.get("FAULT_MINUTES", "60"))
PER_POINT = int(os.environ.get("FAULT_PER_POINT", "50"))
AT_ANY_MOMENT = int(os.environ.get("FAULT_AT_ANY_MOMENT", "600"))


@pytest.fixture
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedProvince]:
    """Two counties and two agencies, each a process, over a real broker."""
    province = LoadedProvince(tmp_path_factory.mktemp("loaded"))
    try:
        province.start()
        yield province
    finally:
        province.close()


def carried_out(province: LoadedProvince, plan: Plan, report: FaultReport) -> None:
    """Carry out a plan, and look at all that it left behind."""
    carry_out(province, plan, report)
    made = province.look(PLATFORM, lambda work: work.exchanges.page(PLATFORM, limit=100_000))
    entered = platform.entries(province.system_url(PLATFORM))
    assert len(entered) == len(made), "the platform's own system has an entry too many or too few"
    assert not province.leaked()


@pytest.mark.fault("K7")
def test_everything_dies_a_few_times(loaded: LoadedProvince, fault_report: FaultReport) -> None:
    """A short campaign: nothing lost, nothing twice, never two who may act, one in the end."""
    chance = random.Random(SEED)  # noqa: S311 - a repeatable plan, no secret
    plan = Plan(1, 4, 60.0, chance, longest_life=2.0)
    carried_out(loaded, plan, fault_report)


@pytest.mark.faults
@pytest.mark.fault("K7")
@pytest.mark.timeout(MINUTES * 60 + 600)
def test_everything_dies_all_the_time(loaded: LoadedProvince, fault_report: FaultReport) -> None:
    """The campaign: every point, and any moment, as often as was asked for."""
    plan = Plan(PER_POINT, AT_ANY_MOMENT, MINUTES * 60, random.Random(SEED))  # noqa: S311
    carried_out(loaded, plan, fault_report)
    fault_report.remark(f"seed {SEED}")
    late = {point: plan.done[point] for point in Failpoint if plan.done[point] < PER_POINT}
    assert not late, f"not carried out in {MINUTES} minutes: {late}"
    assert plan.done[ANY_MOMENT] >= AT_ANY_MOMENT
