"""Faults by chance: loss, doubles, disorder, delay, an absent or forgetful broker, restarts."""

import random
from collections import Counter

from gateway.ports.bus import Disposition
from tests.world.province import Province


class Weather:
    """Moves the mail of a province, badly. Counts what really happened."""

    def __init__(self, province: Province, chance: random.Random) -> None:
        self._province = province
        self._chance = chance
        self.seen: Counter[str] = Counter()

    async def blow(self) -> bool:
        """Let one thing happen to the mail or to a node; return whether a store may have changed."""
        if self._province.bus.away and self._chance.random() < 0.3:
            self._province.bus.away = False
        kinds, weights = zip(
            *(
                (self._send, 8),
                (self._deliver, 16),
                (self._lose, 4),
                (self._double, 4),
                (self._turn_away, 2),
                (self._forget, 0.2),
                (self._restart, 0.5),
                (self._pass_time, 2),
                (self._state, 0.5),
                (self._tend, 1),
            ),
            strict=True,
        )
        (kind,) = self._chance.choices(kinds, weights)
        await kind()
        return kind in {self._deliver, self._restart, self._tend}

    async def calm(self) -> None:
        """Let the broker be there and each lane be stated, without any time that passes."""
        self._province.bus.away = False
        await self._province.settle()
        await self._province.state_lanes()
        await self._province.settle()

    async def heal(self) -> None:
        """Let time pass until nothing is due."""
        for _ in range(8):
            self._province.clock.advance(minutes=70)  # parked messages are asked for by then
            await self._province.tend()
            await self._province.settle()

    async def _send(self) -> None:
        node = self._chance.choice(list(self._province.nodes.values()))
        await node.mail_room.send_due()

    async def _deliver(self) -> None:
        """Deliver any few waiting items in one batch, not the oldest first."""
        waiting = self._province.bus.waiting
        if not waiting:
            return
        receiver, _ = self._chance.choice(waiting)
        mine = [number for number, (to, _) in enumerate(waiting) if to == receiver]
        picked = self._chance.sample(mine, self._chance.randint(1, min(4, len(mine))))
        batch = [waiting[number][1] for number in picked]
        for number in sorted(picked, reverse=True):
            del waiting[number]
        if picked != sorted(picked) or picked[0] != mine[0]:
            self.seen["reordered"] += 1
        handle = self._province.node_of[receiver].mail_room.handle
        for item, disposition in zip(batch, await handle(receiver, batch), strict=True):
            if disposition is Disposition.AGAIN:
                self.seen["again"] += 1
                waiting.append((receiver, item))

    async def _lose(self) -> None:
        if self._province.bus.waiting:
            self.seen["lost"] += 1
            self._province.bus.waiting.pop(self._chance.randrange(len(self._province.bus.waiting)))

    async def _double(self) -> None:
        if self._province.bus.waiting:
            self.seen["doubled"] += 1
            self._province.bus.waiting.append(self._chance.choice(self._province.bus.waiting))

    async def _turn_away(self) -> None:
        """The broker goes, for a few moments."""
        self._province.bus.away = True
        self.seen["away"] += 1

    async def _forget(self) -> None:
        """The broker loses its disk; whoever connects anew sends everything again."""
        self.seen["forgotten"] += len(self._province.bus.waiting)
        self._province.bus.waiting.clear()
        for node in self._province.nodes.values():
            await node.mail_room.send_everything_again()

    async def _restart(self) -> None:
        """A node ends and starts over the same database file."""
        node = self._chance.choice(list(self._province.nodes.values()))
        await node.store.close()
        node.open()
        self.seen["restarted"] += 1

    async def _state(self) -> None:
        """A node has a new link, and states its lanes."""
        node = self._chance.choice(list(self._province.nodes.values()))
        await node.lane_keeper.state_lanes()
        self.seen["stated"] += 1

    async def _tend(self) -> None:
        node = self._chance.choice(list(self._province.nodes.values()))
        await node.lane_keeper.tend()

    async def _pass_time(self) -> None:
        self._province.clock.advance(seconds=self._chance.choice((1, 15, 60, 900)))
