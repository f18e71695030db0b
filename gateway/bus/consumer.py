"""Consuming one letter-box: fetch a batch, hand it over, acknowledge what became of each item.

An item is acknowledged only after the handler has dealt with it, over the very link that brought
it. Whatever goes wrong in between means that it comes again, which the handler's inbox expects.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from gateway.bus.connection import Connection
from gateway.bus.link import heed_cancellation
from gateway.bus.streams import MAIL_STREAM, MAX_ITEM_BYTES, stream_info
from gateway.bus.subjects import durable_name, mail_subject
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable, Disposition, Handler

_DOUBLINGS = 16  # enough to pass any cap; keeps the power small


@dataclass(frozen=True, slots=True)
class Pace:
    """How a letter-box is emptied. All times in seconds.

    Attributes:
        batch: most items in one call of the handler.
        fetch: how long one request waits for mail.
        ack_wait: after this, mail that nobody answered for may go to another reader. A handler may
            take longer: the letter-box has one reader, whose late answer still counts.
        max_ack_pending: most items out at once, those that wait to come again included.
        again_first: pause before an item comes again the first time; it doubles each time.
        again_most: the longest such pause.
        trouble: pause after the broker refused, before the next try.
        look: how long a letter-box may be without mail before it is looked at anew.
    """

    batch: int = 256
    fetch: float = 5.0
    ack_wait: float = 30.0
    max_ack_pending: int = 1024
    again_first: float = 1.0
    again_most: float = 60.0
    trouble: float = 1.0
    look: float = 300.0

    def again_after(self, deliveries: int) -> float:
        """Return the pause before the next delivery of an item that was delivered so often."""
        doublings = min(max(deliveries - 1, 0), _DOUBLINGS)
        return float(min(self.again_most, self.again_first * 2**doublings))


def durable_consumer(receiver: OrgId, pace: Pace) -> ConsumerConfig:
    """Return the consumer of a letter-box as data.

    Deliveries are never counted out (max_deliver -1): an item that cannot be handled is set aside
    by the handler, in the open, not dropped by the broker in silence.
    """
    name = durable_name(receiver)
    return ConsumerConfig(
        name=name,
        durable_name=name,
        filter_subject=mail_subject(receiver),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=pace.ack_wait,
        max_deliver=-1,
        max_ack_pending=pace.max_ack_pending,
        max_waiting=16,
    )


class LetterBox:
    """The letter-box of one organisation, emptied by one task."""

    def __init__(
        self,
        connection: Connection,
        receiver: OrgId,
        pace: Pace,
        again_on: tuple[type[Exception], ...],
    ) -> None:
        self._connection = connection
        self._receiver = receiver
        self._pace = pace
        self._again_on = again_on

    async def feed(self, handler: Handler) -> NoReturn:
        """Give the handler all mail, batch by batch, until cancelled.

        A link that was lost, a broker that started anew or lost its disk, and a consumer that
        somebody deleted are outlived: the consumer is made again.
        """
        while True:
            await self._connection.connected()
            try:
                await self._feed_until_quiet(handler)
            except BusUnavailable:
                if self._connection.ready:  # else the connection itself reports, and is awaited
                    name = durable_name(self._receiver)
                    self._connection.on_state(LogEvent.BUS_ERROR, what="consume", consumer=name)
                    await asyncio.sleep(self._pace.trouble)

    async def _feed_until_quiet(self, handler: Handler) -> None:
        """Make sure of the consumer and serve from it, until the link ends or no mail has come
        for so long that it is time to make sure again.
        """
        async with self._connection.exchange() as client:
            js = self._connection.jetstream(client)
            await self._ensure_consumer(js)
            source = await js.pull_subscribe_bind(
                durable_name(self._receiver),
                MAIL_STREAM,
                pending_bytes_limit=2 * self._pace.batch * MAX_ITEM_BYTES,
            )
        try:
            while messages := await self._fetch_for(source, self._pace.look):
                self._connection.note_sequence(messages[-1].metadata.sequence.stream)
                await self._handle(messages, handler)
                heed_cancellation()
        finally:
            with suppress(nats.errors.Error):
                await source.unsubscribe()

    async def _ensure_consumer(self, js: JetStreamContext) -> None:
        """Have a consumer that hands out all mail in the letter-box; make anew one that would not.

        A stream that lost its tail gives the old numbers again, and such a consumer would skip the
        new mail. After a crash the broker may have kept an acknowledgement and lost the removal
        that followed: what is left behind lies in the letter-box for ever, and fills it up. A new
        consumer hands out all that is there, also what a reader took who is gone; the handler
        knows what it has had.
        """
        config = durable_consumer(self._receiver, self._pace)
        stream = await stream_info(js, MAIL_STREAM, config.filter_subject)
        found = await js.add_consumer(MAIL_STREAM, config)
        lying = sum((stream.state.subjects or {}).values())  # counted first: what comes is pending
        left = lying - (found.num_pending or 0)
        name = durable_name(self._receiver)
        if found.delivered is not None and found.delivered.stream_seq > stream.state.last_seq:
            self._connection.on_state(LogEvent.BUS_REGRESSED, consumer=name)
        elif left > 0:
            self._connection.on_state(LogEvent.BUS_LEFT_BEHIND, consumer=name, items=left)
        else:
            return
        await js.delete_consumer(MAIL_STREAM, name)
        await js.add_consumer(MAIL_STREAM, config)

    async def _fetch_for(self, source: JetStreamContext.PullSubscription, most: float) -> list[Msg]:
        """Return the next mail, or nothing if none came in that many seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + most
        while not (messages := await self._fetch(source)) and loop.time() < deadline:
            heed_cancellation()
        return messages

    async def _fetch(self, source: JetStreamContext.PullSubscription) -> list[Msg]:
        messages: list[Msg] = []
        try:
            async with self._connection.exchange(2 * self._pace.fetch):
                with suppress(TimeoutError):  # no mail; a lost link is a cancellation here
                    messages = await source.fetch(self._pace.batch, timeout=self._pace.fetch)
        except asyncio.CancelledError:
            await self._answer(messages, [Disposition.AGAIN] * len(messages), at_once=True)
            raise
        return messages

    async def _handle(self, messages: Sequence[Msg], handler: Handler) -> None:
        again = [Disposition.AGAIN] * len(messages)
        try:
            dispositions = list(await handler([message.data for message in messages]))
        except self._again_on:
            dispositions = again
        except asyncio.CancelledError:
            await self._answer(messages, again, at_once=True)
            raise
        await self._answer(messages, dispositions)

    async def _answer(
        self,
        messages: Sequence[Msg],
        dispositions: Sequence[Disposition],
        *,
        at_once: bool = False,
    ) -> None:
        with suppress(nats.errors.Error):  # the link is gone, so all that is left comes again
            for message, disposition in zip(messages, dispositions, strict=True):
                if disposition is Disposition.DONE:
                    await message.ack()
                else:
                    after = self._pace.again_after(message.metadata.num_delivered)
                    await message.nak(None if at_once else after)
