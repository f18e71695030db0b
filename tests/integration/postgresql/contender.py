"""One of several processes that write to one store: `python -m ...contender URL ROUNDS CLIENTS`.

Its clients do at once what must not be done by two: take log positions, numbers and lane numbers,
change what was just read, answer a request for the first time. Those of every process choose the
same organisations, cases and requests. What came of it is in the tables.
"""

import asyncio
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import OutMessage
from gateway.ports.store import Work
from gateway.store.engine import open_engine
from gateway.store.writer import SqlStore
from gateway.v1.envelope_pb2 import SignedEnvelope

ORGS = tuple(OrgId.parse(text) for text in ("530102/edu", "530627/edu"))
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DIGEST = "d" * 64


def act(work: Work, org: OrgId, request_id: str, mine: str) -> None:
    """Do one command as use cases do theirs: read, decide, write; once for its request_id."""
    if work.requests.answer(org, request_id) is not None:
        return
    work.requests.remember(org, request_id, b"digest", mine.encode(), NOW)
    work.events.append(
        org,
        event_id=request_id,
        kind=7,
        source=str(org),
        case_ids=("case",),
        logged_at=NOW,
        envelope=SignedEnvelope(payload=mine.encode()).SerializeToString(),
    )
    number = len(work.titles.chain(org, "case"))
    work.titles.add(org, "case", 1, number, DIGEST, mine.encode())
    shelved = work.absences.get(org, "record")
    if shelved is None:
        shelved = Absence("record", "child", org, AbsenceState.REPORTED, (), NOW, NOW)
    else:
        shelved = shelved.changed(NOW, class_name=mine)
    work.absences.put(org, shelved)
    receiver = ORGS[1 - ORGS.index(org)]
    work.outbox.deliver(org, (receiver,), request_id)


def relay(work: Work) -> None:
    """Number what waits, lane by lane, one message for each delivery."""
    for delivery in work.outbox.waiting(20):
        lane = work.outbox.lane(delivery.sender, delivery.receiver)
        sequence = lane.next_sequence
        name = f"{delivery.sender}-{sequence}"
        message = OutMessage(name, delivery.sender, delivery.receiver, 1, sequence, DIGEST, b"x")
        work.outbox.pack(message, (delivery.number,), SendingLane(1, sequence + 1, DIGEST))


async def client(store: SqlStore, name: str, rounds: int) -> None:
    """Act in random order; every client asks for every request of its round."""
    for number in range(rounds):
        org = random.choice(ORGS)  # noqa: S311 - no secret
        await store.write(lambda work, n=number, o=org: act(work, o, f"{o}-{n}", name))  # type: ignore[misc]
        await store.write(lambda work, n=number, o=org: act(work, o, f"{name}-{n}", name))  # type: ignore[misc]
        await store.write(relay)


async def main(url: str, rounds: int, clients: int, name: str) -> None:
    """Run the clients on one store."""
    store = SqlStore(open_engine(url), b"k" * 32)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(client(store, f"{name}.{number}", rounds))
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).name))
