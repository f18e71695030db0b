"""A campaign of kills: every process of a province dies again and again while officers work.

Each process lives a life of its own here, as a generator that is asked for its next step in turn;
so several are dead at the same time now and then, as on a bad day.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.ports.failpoints import Failpoint
from tests.faults.load import LoadedProvince, Officers, officers_at_work
from tests.faults.processes import NodeProcess
from tests.faults.reporting import FaultReport
from tests.world import waiting
from tests.world.waiting import eventually

ANY_MOMENT = "at any moment"
AGENCIES = ("police", "platform")
_ADAPTERS_OWN = {Failpoint.ADAPTER_AFTER_WRITE}
_OFFICERS = 4
_BETWEEN_AUDITS = 10  # kills, at least
_AUDITS_SHARE = 0.2  # of the time, at most: an audit reads all there is, and that grows
_REACHED_BY = 20.0  # seconds; a point that nobody reached by then is given up for another
_TURN = 0.01
_CALM_BY = 120.0  # seconds in which everything is receipted once the kills end (row K7)


@dataclass
class Plan:
    """How many kills of each sort are to come, within so many `seconds`.

    A process lives at most `longest_life` seconds until it is told to die: long enough that work
    gets done between the deaths, short enough that many fall into its start.
    """

    per_point: int
    at_any_moment: int
    seconds: float
    chance: random.Random
    longest_life: float = 6.0
    done: Counter[str] = field(default_factory=Counter)
    begun: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether all is done, or the time is up."""
        late = time.monotonic() - self.begun > self.seconds
        return late or not (self._points(AGENCIES[0]) or self._points("") or self._any_left)

    @property
    def _any_left(self) -> bool:
        return self.done[ANY_MOMENT] < self.at_any_moment

    def _points(self, name: str) -> list[Failpoint]:
        """Return the points of a node that are not done, the rarest first."""
        points = [p for p in Failpoint if name in AGENCIES or p not in _ADAPTERS_OWN]
        wanted = [point for point in points if self.done[point] < self.per_point]
        self.chance.shuffle(wanted)
        return sorted(wanted, key=lambda point: self.done[point])

    def next_of(self, name: str) -> Failpoint | None:
        """Return the point at which a node dies next; None is at any moment."""
        points = self._points(name)
        left = sum(self.per_point - self.done[point] for point in points)
        any_left = max(self.at_any_moment - self.done[ANY_MOMENT], 0)
        if not points or self.chance.random() * (left + any_left) < any_left:
            return None
        return points[0]


def life_of_a_node(node: NodeProcess, plan: Plan) -> Iterator[None]:
    """Kill a node and start it again, step by step, until the plan is done."""
    name = node.config.node.name
    while not plan.over:
        point = plan.next_of(name)
        if point is not None:
            breath = time.monotonic() + plan.chance.uniform(0.0, plan.longest_life)
            while not node.listens() or time.monotonic() < breath:
                yield
            node.tell(point)
            given_up = time.monotonic() + _REACHED_BY
        else:
            given_up = time.monotonic() + plan.chance.uniform(0.2, plan.longest_life)
        while not node.dead and time.monotonic() < given_up:
            yield
        reached = node.dead
        if not reached:
            node.kill()
        plan.done[point if point is not None and reached else ANY_MOMENT] += 1
        node.launch()
        yield
    while not node.listens():
        yield


def life_of_the_broker(province: LoadedProvince, plan: Plan) -> Iterator[None]:
    """Kill the broker and start it again, step by step, until the plan is done."""
    while not plan.over:
        due = time.monotonic() + plan.chance.uniform(2.0, 8.0)
        while time.monotonic() < due:
            yield
        province.restart_broker()
        plan.done[ANY_MOMENT] += 1


def carry_out(province: LoadedProvince, plan: Plan, report: FaultReport) -> None:
    """Carry out the plan; audit now and then, and once everything had time to arrive."""
    waiting.PATIENCE = 180.0  # a story takes its time while everything dies
    with officers_at_work(province, _OFFICERS) as officers:
        _kill(province, plan, officers, report)
        calm = time.monotonic()
    for name in province.nodes:
        eventually(lambda name=name: province.serving(name), f"{name} serving")  # type: ignore[misc]
    eventually(province.settled, "everything receipted", most=_CALM_BY)
    report.healed.append(time.monotonic() - calm)
    report.injected.update({f"kill -9 {_where(at)}": times for at, times in plan.done.items()})
    report.remark(
        f"{officers.told} stories told, {len(province.answered)} commands answered, "
        f"{province.asked_again} asked again, {time.monotonic() - plan.begun:.0f} s"
    )
    report.require(province.audit.healed(province.answered))


def _kill(province: LoadedProvince, plan: Plan, officers: Officers, report: FaultReport) -> None:
    lives = [life_of_a_node(province.process(name), plan) for name in province.nodes]
    lives.append(life_of_the_broker(province, plan))
    audited, rested = 0, 0.0
    while lives:
        for life in list(lives):
            try:
                next(life)
            except StopIteration:
                lives.remove(life)
        officers.check()
        if plan.done.total() >= audited + _BETWEEN_AUDITS and time.monotonic() >= rested:
            audited, begun = plan.done.total(), time.monotonic()
            report.require(province.audit.at_any_time())
            took = time.monotonic() - begun
            rested = time.monotonic() + took * (1 - _AUDITS_SHARE) / _AUDITS_SHARE
        time.sleep(_TURN)


def _where(at: str) -> str:
    return at if at == ANY_MOMENT else f"at {at}"
