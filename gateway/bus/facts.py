"""The carrier of published facts over NATS JetStream."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamInfo
from nats.js.errors import BadRequestError, NotFoundError

from gateway.bus.connection import Connection
from gateway.bus.fact_stream import (
    FACT_STREAM,
    cloud_event_headers,
    fact_stream,
    unsafe_fact_fields,
)
from gateway.bus.streams import MAX_ITEM_BYTES, stream_info
from gateway.bus.subjects import fact_subject
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable
from gateway.ports.fact_carrier import CarrierMark, OutFact

_AT_ONCE = 64
_NO_LIMIT = 3600.0  # the exchange ends the wait


class JetStreamFacts:
    """Implements gateway.ports.fact_carrier.FactCarrier over the connection of the mail."""

    def __init__(self, connection: Connection, replicas: int = 1) -> None:
        self._connection = connection
        self._replicas = replicas

    @property
    def ready(self) -> bool:
        """Whether the broker is connected."""
        return self._connection.ready

    async def mark(self) -> CarrierMark:
        """See FactCarrier.mark. A stream that would show facts elsewhere is not used."""
        async with self._connection.exchange() as client:
            info = await self._ensured(self._connection.jetstream(client))
        if wrong := unsafe_fact_fields(info.config):
            self._connection.on_state(
                LogEvent.BUS_ERROR, what="unsafe_stream", fields="+".join(wrong)
            )
            raise BusUnavailable(f"Stream {FACT_STREAM} is unsafe: {', '.join(wrong)}.")
        return CarrierMark(str(info.created), info.state.last_seq)

    async def publish(self, source: OrgId, kind: FactKind, facts: Sequence[OutFact]) -> int:
        """See FactCarrier.publish. Many are under way at once; the link keeps their order.

        Raises:
            BusUnavailable: a part, or all, may have arrived; publishing again is safe.
        """
        subject, last = fact_subject(source, kind), 0
        for start in range(0, len(facts), _AT_ONCE):
            async with self._connection.exchange() as client:
                answers = await asyncio.gather(
                    *(
                        _request(client, subject, source, fact)
                        for fact in facts[start : start + _AT_ONCE]
                    )
                )
            last = max(last, *answers)
        return last

    async def _ensured(self, js: JetStreamContext) -> StreamInfo:
        try:
            return await stream_info(js, FACT_STREAM)
        except NotFoundError:
            try:
                return await js.add_stream(fact_stream(self._replicas))
            except BadRequestError:  # another node made one meanwhile, perhaps a different one
                return await stream_info(js, FACT_STREAM)


async def _request(client: Client, subject: str, source: OrgId, fact: OutFact) -> int:
    if len(fact.envelope) > MAX_ITEM_BYTES:
        raise BusUnavailable(f"A fact on the bus has at most {MAX_ITEM_BYTES} bytes.")
    headers = cloud_event_headers(source, fact)
    answer = await client.request(subject, fact.envelope, timeout=_NO_LIMIT, headers=headers)
    ack: Any = json.loads(answer.data)
    sequence = ack.get("seq") if isinstance(ack, dict) and "error" not in ack else None
    if not isinstance(sequence, int) or ack.get("stream") != FACT_STREAM:
        raise BusUnavailable("The broker did not take a fact.")
    return sequence
