"""A node with a fault put into it, named by FAULTY_NODE: to see that the audit of real parts works.

`python -m tests.faults.mutant_node CONFIG NOW`. The gateway itself has no such switch.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.ports import failpoints
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.outbox import OutMessage
from gateway.ports.store import Work
from gateway.store import writer
from gateway.store.outbox import SqlOutbox
from gateway.store.writer import SqlStore
from tests.delivery.mutants import MUTANTS, lost_after_publishing
from tests.faults.node_process import main

FAULTY = "FAULTY_NODE"
HASTY_IN = "FAULTY_NODE_HASTY_IN"
"""The module whose transactions a hasty node dies in: it has others all the time."""
_HESITATES = 10.0  # seconds between answer and death, unless somebody kills it before


def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that answers, receipts included, and commits a moment later."""
    write = SqlStore.write
    meant = os.environ[HASTY_IN]
    under_way: set[str] = set()  # the modules with a task in this transaction

    async def answer_early(self: SqlStore, task: Callable[[Work], Any]) -> Any:
        loop = asyncio.get_running_loop()
        early: asyncio.Future[Any] = loop.create_future()

        def tell(result: Any) -> None:
            if not early.done():
                early.set_result(result)

        def answer(work: Work) -> Any:
            result = task(work)
            under_way.add(task.__module__)
            loop.call_soon_threadsafe(tell, result)
            return result

        later = asyncio.ensure_future(write(self, answer))
        await asyncio.wait({early, later}, return_when=asyncio.FIRST_COMPLETED)
        return early.result() if early.done() else later.result()

    def hesitate(point: Failpoint) -> None:
        if point in failpoints._armed and meant in under_way:
            time.sleep(_HESITATES)  # the answer gets out meanwhile
            reach(point)
        under_way.clear()

    monkeypatch.setattr(SqlStore, "write", answer_early)
    monkeypatch.setattr(writer, "reach", hesitate)


def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that takes the broker's word for delivery, and sends nothing a second time."""

    def nothing(*_args: Any) -> Sequence[OutMessage]:
        return ()

    lost_after_publishing(monkeypatch)
    monkeypatch.setattr(SqlOutbox, "between", nothing)


FAULTS = {mutant.name: mutant.put_in for mutant in MUTANTS} | {
    fault.__name__: fault for fault in (hasty, trusting)
}


if __name__ == "__main__":
    FAULTS[os.environ[FAULTY]](pytest.MonkeyPatch())
    main()
