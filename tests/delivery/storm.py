"""Worse than bad weather: deaths at every failpoint, a broker restored to an earlier day, delay.

A death is an exception raised where the process would have been killed; the node then begins anew
over the same database, so that all it had in memory is gone. Everything hangs on the seed alone:
identifiers too are drawn from it, so a seed plays the same story again.
"""

import hashlib
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from adapters.reference.people import child
from gateway.domain.commitments import MIN_SALT_BYTES
from gateway.domain.organisations import OrgId
from gateway.ports.bus import BusUnavailable, Disposition
from gateway.ports.failpoints import Failpoint
from gateway.ports.store import StoreUnavailable
from tests.delivery.audit import Audit
from tests.delivery.conftest import Found
from tests.delivery.coverage import reached, watched
from tests.delivery.deaths import Deaths
from tests.delivery.officers import Officers
from tests.delivery.playing import ACTS, STEPS
from tests.delivery.post import header_of
from tests.delivery.weather import Weather
from tests.faults.leaks import secrets_of
from tests.world.estate import SHUIFU, ZHENXIONG
from tests.world.province import Province, TestNode

_COUNTIES = (ZHENXIONG, SHUIFU, ZHENXIONG)
_AS_IT_SENDS = (
    Failpoint.STORE_BEFORE_COMMIT,
    Failpoint.STORE_AFTER_COMMIT,
    Failpoint.RELAY_AFTER_PACK,
    Failpoint.RELAY_AFTER_PUBLISH,
)
_AS_IT_TAKES = (
    Failpoint.STORE_BEFORE_COMMIT,
    Failpoint.STORE_AFTER_COMMIT,
    Failpoint.MAIL_AFTER_COMMIT,
    Failpoint.MAIL_AFTER_REPLY,
)
_AS_IT_ANSWERS = (Failpoint.STORE_BEFORE_COMMIT, Failpoint.STORE_AFTER_COMMIT)


@dataclass(frozen=True)
class Played:
    """What one seed reached, and the digest of what travelled."""

    seen: Counter[str]
    trace: str


class SeededIds:
    """Identifiers and salts from a seed; implements gateway.ports.ids.Ids."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable run, no secret
        self._made = 0

    def new(self) -> str:
        """Return a UUID of version 7 whose time is a count."""
        self._made += 1
        return self._uuid(self._made << 80 | self._chance.getrandbits(76), version=7)

    def token(self) -> str:
        """Return a UUID of version 4."""
        return self._uuid(self._chance.getrandbits(128), version=4)

    def salt(self) -> bytes:
        """Return a salt."""
        return self._chance.randbytes(MIN_SALT_BYTES)

    def _uuid(self, bits: int, version: int) -> str:
        bits &= ~(0xF << 76) & ~(0x3 << 62)
        return str(UUID(int=bits | version << 76 | 0x2 << 62))


class Storm(Weather):
    """Weather in which nodes die, mail lies about, and the broker forgets or remembers too much."""

    def __init__(self, province: Province, chance: random.Random, deaths: Deaths) -> None:
        super().__init__(province, chance)
        self._deaths = deaths
        self._held: list[tuple[OrgId, bytes]] = []
        self._remembered: list[tuple[OrgId, bytes]] = []

    async def begin(self) -> None:
        """Have every node draw its identifiers from the seed."""
        for node in self._province.nodes.values():
            ids = SeededIds(f"{self._chance.random()} {node.name}")
            node.tools = replace(node.tools, ids=ids)
            await node.store.close()
            node.open()

    async def blow(self) -> bool:
        """Let one thing happen; return whether a store may have changed."""
        if self._chance.random() > 0.15:
            return await super().blow()
        kinds = (self._die_sending, self._die_taking, self._hold, self._release, self._regress)
        (kind,) = self._chance.choices(kinds, (5, 8, 3, 2, 0.3))
        await kind()
        return True

    async def calm(self) -> None:
        """Lose some of the very last mail, let all that was held back arrive, and then be good."""
        waiting = self._province.bus.waiting
        kept = [item for item in waiting if self._chance.random() < 0.5]
        self.seen["lost"] += len(waiting) - len(kept)
        waiting[:] = kept
        await self._release()
        await super().calm()

    async def begin_anew(self, node: TestNode) -> None:
        """Start a node that died: only its database is left."""
        died = self._deaths.at.pop()
        self.seen[f"died at {died}"] += 1
        for task in node.mail_room._relay._sending.values():
            task.cancel()
        await node.store.close()
        node.open()

    async def _die_sending(self) -> None:
        node = self._chance.choice(list(self._province.nodes.values()))
        point = self._chance.choice(_AS_IT_SENDS)
        with self._deaths.armed(point), suppress(StoreUnavailable, BusUnavailable):
            await node.mail_room.send_due()
        if self._deaths.at:
            await self.begin_anew(node)

    async def _die_taking(self) -> None:
        waiting = self._province.bus.waiting
        if not waiting:
            return
        place = self._chance.randrange(len(waiting))
        receiver, item = waiting.pop(place)
        node = self._province.node_of[receiver]
        with self._deaths.armed(self._chance.choice(_AS_IT_TAKES)):
            (disposition,) = await node.mail_room.handle(receiver, [item])
        if self._deaths.at:
            await self.begin_anew(node)
        if disposition is Disposition.AGAIN:
            waiting.append((receiver, item))

    async def _hold(self) -> None:
        """An item lies about somewhere, for a long time."""
        waiting = self._province.bus.waiting
        if waiting:
            self._held.append(waiting.pop(self._chance.randrange(len(waiting))))
            self.seen["delayed"] += 1

    async def _release(self) -> None:
        self._province.bus.waiting.extend(self._held)
        self._held.clear()

    async def _regress(self) -> None:
        """The broker's disk is restored to an earlier day; who connects anew sends again."""
        today = list(self._province.bus.waiting)
        self._province.bus.waiting[:] = self._remembered
        self._remembered = today
        self.seen["regressed"] += 1
        for node in self._province.nodes.values():
            await node.mail_room.send_everything_again()


class StormyOfficers(Officers):
    """Officers whose node may die as they act; they ask again with the same request."""

    def braced(self, storm: Storm, deaths: Deaths) -> "StormyOfficers":
        """Make known what may kill a node under an officer's hands."""
        self._storm, self._deaths = storm, deaths
        self._ids = SeededIds(f"{self.chance.random()} requests")
        return self

    async def _act(self, org: OrgId, method: str, request: object, post: str = "") -> object:
        request.request_id = self._ids.token()  # type: ignore[attr-defined]
        if self.chance.random() < 0.1:
            try:
                with self._deaths.armed(self.chance.choice(_AS_IT_ANSWERS)):
                    answer = await super()._act(org, method, request, post)
            except StoreUnavailable:
                await self._storm.begin_anew(self.province.node_of[org])
            else:
                # A gateway that answered although it died: what it answered must hold.
                if self._deaths.at:
                    await self._storm.begin_anew(self.province.node_of[org])
                return answer
        return await super()._act(org, method, request, post)


async def play(founded: Found, deaths: Deaths, seed: int) -> Played:
    """Play one seed; every invariant is checked after every step and once all has arrived."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable run, no secret
    province = founded()
    storm, audit = Storm(province, chance, deaths), Audit(province)
    await storm.begin()
    officers = StormyOfficers(province, chance, _COUNTIES).braced(storm, deaths)
    seen: Counter[str] = Counter()
    with watched(seen):
        for _ in range(STEPS):
            if chance.random() < ACTS:
                await officers.do_something()
                await audit.check()
            elif await storm.blow():
                await audit.check()
        await storm.calm()
        await audit.check_tails()
        await storm.heal()
    await audit.check_healed()
    await audit.check_letters(officers.dispatched)
    check_carried(province)
    seen.update(storm.seen)
    seen.update(await reached(province))
    await province.close()
    return Played(seen, trace_of(province))


def check_carried(province: Province) -> None:
    """I4: nothing of a child travels in the clear."""
    children = [child(number) for number in range(1, len(_COUNTIES) + 1)]
    secrets = secrets_of(children)
    carried = b"".join(item for _, item in province.bus.carried)
    assert not any(secret in carried for secret in secrets), "a child is named on the bus"


def trace_of(province: Province) -> str:
    """Return a digest of all that travelled: to whom, of what kind, in which place of its lane."""
    trace = hashlib.sha256()
    for receiver, item in province.bus.carried:
        header = header_of(item)
        place = f"{header.message_id} {header.lane_sequence}" if header else "control"
        trace.update(f"{receiver} {place}\n".encode())
    return trace.hexdigest()
