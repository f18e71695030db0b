"""The province that is measured: county nodes as `gateway serve` runs them, and one broker."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.seeding import Seeder
from gateway.cli.demonstration.nodes import Processes
from gateway.cli.estate import LaidOut, lay_out
from gateway.cli.estate_plan import EstatePlan, HomePlan, NodePlan, plan_county
from gateway.domain.organisations import OrgId

SENDER = OrgId.parse("530102/edu")
RECEIVER = OrgId.parse("530627/edu")
SCHOOL = OrgId.parse("530102/sch/3153010201")
"""Of the sender's county, at home on a node of its own, so that its reports cross nodes."""

COUNTY_NODE, OTHER_NODE, SCHOOL_NODE = "county", "other", "school"
_POLL_SECONDS = 0.005


class TookTooLong(Exception):
    """Something that was waited for did not come about."""


def plan() -> EstatePlan:
    """Two counties and a school, each on its own node.

    The school lies in no township of the exchange, so that a report has one receiver, as an item
    has on the floor.
    """
    today = datetime.now(UTC).date()
    homes = plan_county(SENDER.division, today, school=SCHOOL.unit)
    bureau = [home for home in homes if home.organisation.id != SCHOOL]
    school = [
        HomePlan(replace(home.organisation, township=None))
        for home in homes
        if home.organisation.id == SCHOOL
    ]
    return EstatePlan(
        (
            NodePlan(COUNTY_NODE, tuple(bureau)),
            NodePlan(OTHER_NODE, plan_county(RECEIVER.division, today)),
            NodePlan(SCHOOL_NODE, tuple(school)),
        ),
        bundled=False,
        reflection=False,
    )


@dataclass(frozen=True)
class Province:
    """The running province."""

    directory: Path
    laid: LaidOut
    processes: Processes

    def pids(self, *nodes: str) -> dict[str, int]:
        """Return the processes of these nodes and of the broker."""
        written = json.loads((self.directory / "processes.json").read_text("utf-8"))
        return {"broker": written["broker"]} | {name: written["nodes"][name] for name in nodes}

    def store(self, node: str) -> Path:
        """Return the database of a node."""
        return store_of(self.laid, node)

    def seeder(self, node: str) -> Seeder:
        """Return what writes into the store of a node, beside the node."""
        return Seeder(self.laid.nodes[node])

    def count(self, node: str, query: str, arguments: Sequence[str] = ()) -> int:
        """Count something in the store of a node."""
        with closing(sqlite3.connect(f"file:{self.store(node)}?mode=ro", uri=True)) as database:
            return int(database.execute(query, arguments).fetchone()[0])

    def unreceipted(self, node: str) -> int:
        """Count what has left, or has to leave, a node and has no committed receipt."""
        packed = "SELECT count(*) FROM outbox WHERE next_attempt IS NOT NULL"
        waiting = "SELECT count(*) FROM deliveries WHERE message_id IS NULL"
        return self.count(node, packed) + self.count(node, waiting)


def store_of(laid: LaidOut, node: str) -> Path:
    """Return where the database of a node is."""
    return laid.nodes[node].parent / "state" / "node.db"


def new_store(laid: LaidOut, node: str) -> None:
    """Make the empty database of a node that has not run yet."""
    Seeder(laid.nodes[node]).close()


@contextmanager
def running(directory: Path, before: Callable[[LaidOut], None] | None = None) -> Iterator[Province]:
    """Lay out the province, start it, and stop it at the end.

    `before` fills stores while nothing runs yet.
    """
    laid = lay_out(directory, plan(), datetime.now(UTC))
    if before is not None:
        before(laid)
    callers = {node: Path(laid.profiles[str(org)]) for node, org in CALLERS.items()}
    with Processes(directory, laid, callers) as processes:
        processes.wait_until_serving()
        yield Province(directory, laid, processes)


CALLERS = {COUNTY_NODE: SENDER, OTHER_NODE: RECEIVER, SCHOOL_NODE: SCHOOL}
"""Who calls each node."""


def until(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Wait for a condition. Raises TookTooLong."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TookTooLong(what)
        time.sleep(_POLL_SECONDS)
