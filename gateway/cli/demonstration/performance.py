"""One performance, from an empty directory to the outcome."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.demonstration import cast as casting
from gateway.cli.demonstration import story
from gateway.cli.demonstration.cast import PLAYERS, WUHUA, Cast
from gateway.cli.demonstration.closing import Outcome, close
from gateway.cli.demonstration.faults import DemoFault
from gateway.cli.demonstration.lines import Said
from gateway.cli.demonstration.nodes import Processes
from gateway.cli.demonstration.players import Players
from gateway.cli.demonstration.stage import Stage
from gateway.cli.demonstration.timeline import Timeline
from gateway.cli.demonstration.watcher import Watcher
from gateway.cli.estate import LaidOut, lay_out
from gateway.cli.estate_plan import EstatePlan
from gateway.data.calendars import load_working_calendar
from gateway.domain.working_days import shanghai_date


@dataclass(frozen=True)
class Seconds:
    """How long it took.

    Attributes:
        start: until all four nodes served.
        story: from then until the last event was verified.
        total: all of it, until every process had ended.
    """

    start: float
    story: float
    total: float


def perform(directory: Path, timeline: Timeline) -> tuple[Outcome, Seconds]:
    """Make an estate in an empty directory, run it, play the story on it, and stop it.

    Raises:
        DemoFault: a step, a signature or a node did not hold.
        BrokerFailed, MaterialFault, OSError: the estate cannot be made or started.
    """
    began = time.monotonic()
    now = datetime.now(UTC)
    cast = Cast.of(directory, shanghai_date(now), load_working_calendar())
    planned = casting.plan(cast)
    timeline.names = casting.names(planned)
    with timeline.working():
        timeline.doing(Said("making keys and certificates", "正在生成密钥和证书"))
        laid = lay_out(directory, planned, now)
        cast.systems.make(directory, cast.children)
        with Processes(directory, laid, _callers(planned, laid)) as processes:
            timeline.doing(Said("starting four nodes and a broker", "正在启动四个节点和消息服务"))
            processes.wait_until_serving()
            started = time.monotonic()
            timeline.say(_opening(laid, started - began), "dim")
            try:
                outcome = _play(laid, cast, timeline)
            except DemoFault as fault:
                raise DemoFault(" ".join(filter(None, (str(fault), processes.fallen())))) from fault
            played = time.monotonic()
            timeline.doing(Said("stopping", "正在停止"))
    ended = time.monotonic()
    return outcome, Seconds(started - began, played - started, ended - began)


def _callers(planned: EstatePlan, laid: LaidOut) -> Mapping[str, Path]:
    """Return for each node the profile of one organisation at home there."""
    return {node.name: laid.profiles[str(node.homes[0].organisation.id)] for node in planned.nodes}


def _play(laid: LaidOut, cast: Cast, timeline: Timeline) -> Outcome:
    """Play all three stories before a subscriber of the enrolment county's bureau."""
    with Players(laid.profiles, timeline.language) as players:
        stage = Stage(players, timeline)
        with Watcher(str(WUHUA), players.options(WUHUA), timeline.add) as watcher:
            players.greet(PLAYERS)
            cases: Sequence[str] = [
                story.across_the_county_line(stage, cast),
                story.notified_only(stage, cast),
                story.sent_back(stage, cast),
            ]
            return close(stage, cast, watcher, cases)


def _opening(laid: LaidOut, seconds: float) -> Said:
    nodes = ", ".join(f"{name} {address}" for name, address in laid.addresses.items())
    return Said(
        f"Four nodes serve after {seconds:.1f} s: {nodes}. Regulation: 云政办规〔2022〕5号.",
        f"四个节点已就绪,用时 {seconds:.1f} 秒:{nodes}。依据:云政办规〔2022〕5号。",
    )
