"""The bus port over NATS JetStream."""

from collections.abc import Sequence

from gateway.bus.connection import Connection, OnConnect
from gateway.bus.consumer import LetterBox, Pace
from gateway.bus.facts import JetStreamFacts
from gateway.bus.publisher import Publisher
from gateway.bus.streams import StreamState
from gateway.domain.organisations import OrgId
from gateway.ports.bus import BusUnavailable, Handler
from gateway.ports.condition import Code, Finding, Part, good


class JetStreamBus:
    """Implements `gateway.ports.bus.Bus` over one connection, which its maker enters and leaves.

    `again_on` names what a handler may raise when it could not do its work now, such as a store
    that is away: the whole batch then comes again. Anything else that it raises ends `consume`,
    and no item of that batch is acknowledged.
    """

    def __init__(
        self,
        connection: Connection,
        again_on: tuple[type[Exception], ...] = (),
        pace: Pace | None = None,
    ) -> None:
        self._connection = connection
        self._publisher = Publisher(connection)
        self._again_on: tuple[type[Exception], ...] = (BusUnavailable, *again_on)
        self._pace = pace or Pace()
        self._open: set[OrgId] = set()

    @property
    def ready(self) -> bool:
        """Whether the broker is connected and its stream is safe."""
        return self._connection.ready

    @property
    def finding(self) -> Finding:
        """How the broker is, in words of the health service."""
        if self._connection.ready:
            return good(Part.BUS, "the broker is linked, and safe for mail")
        return self._connection.unsafe or Finding(Part.BUS, Code.BUS_AWAY, {"what": ""})

    async def unsafe_at_first(self) -> Finding | None:
        """Return why the broker must not be used, once it was reached or found to be away."""
        await self._connection.tried()
        return self._connection.unsafe

    async def publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        """Hand the items to the broker in order.

        Raises:
            BusUnavailable: not confirmed; sending again is safe. At once without a link.
            ValueError: an item is larger than the bus carries (streams.MAX_ITEM_BYTES).
        """
        await self._publisher.publish(receiver, items)

    async def consume(self, receiver: OrgId, handler: Handler) -> None:
        """Feed the receiver's letter-box to the handler until cancelled.

        Raises:
            ValueError: the letter-box is being consumed already; two readers would reorder it.
        """
        if receiver in self._open:
            raise ValueError(f"The letter-box of {receiver} is being consumed already.")
        self._open.add(receiver)
        try:
            await LetterBox(self._connection, receiver, self._pace, self._again_on).feed(handler)
        finally:
            self._open.discard(receiver)

    def facts(self, replicas: int = 1) -> JetStreamFacts:
        """Return the carrier of published facts over the same connection."""
        return JetStreamFacts(self._connection, replicas)

    def on_connect(self, call: OnConnect) -> None:
        """Have `call` awaited at each new link: the place to send again what has no receipt."""
        self._connection.on_connect(call)

    async def stream_state(self) -> StreamState:
        """Ask for the mail stream's state (created, last_seq). Raises BusUnavailable."""
        return await self._connection.stream_state()
