"""Publishing: one item at a time, or an atomic batch that shares one fsync.

No item carries a de-duplication header. The server refuses a whole batch for one known id, so a
re-send would fail for ever; the receiver's inbox recognises what it has instead.
"""

import json
import secrets
from collections.abc import Iterator, Sequence

from nats.aio.client import Client
from nats.js.api import Header

from gateway.bus.connection import Connection
from gateway.bus.streams import MAIL_STREAM, MAX_ITEM_BYTES
from gateway.bus.subjects import mail_subject
from gateway.domain.organisations import OrgId
from gateway.ports.bus import BusUnavailable

BATCH_FROM = 20
"""A batch costs three fsyncs to stage; below this many items single publishing is faster."""
BATCH_ITEMS = 500
"""The server takes at most 1000 items in a batch."""
BATCH_BYTES = 4 * 1024 * 1024
"""What one batch may keep in the client's buffer."""


def portions(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cut items, in order, into runs of at most BATCH_ITEMS and BATCH_BYTES. Pure.

    A single item is always small enough (MAX_ITEM_BYTES).
    """
    start = size = 0
    for index, item in enumerate(items):
        if index > start and (index - start == BATCH_ITEMS or size + len(item) > BATCH_BYTES):
            yield items[start:index]
            start, size = index, 0
        size += len(item)
    if items[start:]:
        yield items[start:]


class Publisher:
    """Puts items into letter-boxes. Calls for different receivers do not wait for each other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        """Hand over the items in order; return when the broker has them on disk.

        Raises:
            BusUnavailable: not confirmed. A part, or all, may have arrived; sending again is safe.
            ValueError: an item is larger than MAX_ITEM_BYTES, so it could never be sent.
        """
        if any(len(item) > MAX_ITEM_BYTES for item in items):
            raise ValueError(f"An item on the bus has at most {MAX_ITEM_BYTES} bytes.")
        subject = mail_subject(receiver)
        for portion in portions(items):
            if len(portion) >= BATCH_FROM:
                await self._batch(subject, portion)
            else:
                for item in portion:
                    await self._single(subject, item)

    async def _single(self, subject: str, item: bytes) -> None:
        async with self._connection.exchange() as client:
            sequence = _confirmed(await _request(client, subject, item, {}), count=None)
        self._connection.note_sequence(sequence)

    async def _batch(self, subject: str, items: Sequence[bytes]) -> None:
        """Publish all or nothing (ADR-50): numbered items, the last one commits and is answered."""
        batch = secrets.token_hex(16)
        async with self._connection.exchange() as client:
            for number, item in enumerate(items[:-1], start=1):
                await client.publish(subject, item, headers=_headers(_place(batch, number)))
            commit = _place(batch, len(items)) | {Header.BATCH_COMMIT.value: "1"}
            answer = await _request(client, subject, items[-1], commit)
            sequence = _confirmed(answer, count=len(items))
        self._connection.note_sequence(sequence)


def _place(batch: str, number: int) -> dict[str, str]:
    return {Header.BATCH_ID.value: batch, Header.BATCH_SEQUENCE.value: str(number)}


def _headers(extra: dict[str, str]) -> dict[str, str]:
    # A fresh dict each time: the client library is known to write into the one it is given.
    return {Header.EXPECTED_STREAM.value: MAIL_STREAM} | extra


async def _request(client: Client, subject: str, item: bytes, extra: dict[str, str]) -> bytes:
    # No timeout of its own: exchange() ends the wait.
    answer = await client.request(subject, item, timeout=_NO_LIMIT, headers=_headers(extra))
    return answer.data


_NO_LIMIT = 3600.0


def _confirmed(answer: bytes, *, count: int | None) -> int:
    """Believe only a complete acknowledgement of the mail stream; return its sequence."""
    ack = json.loads(answer)
    if not isinstance(ack, dict):
        raise BusUnavailable("The broker's answer is not an acknowledgement.")
    if (error := ack.get("error")) is not None:
        code = error.get("err_code") if isinstance(error, dict) else None
        raise BusUnavailable(f"The broker refused: {code}.")
    sequence = ack.get("seq")
    if (
        not isinstance(sequence, int)
        or ack.get("stream") != MAIL_STREAM
        or ack.get("count") != count
    ):
        raise BusUnavailable("The broker's acknowledgement is incomplete.")
    return sequence
