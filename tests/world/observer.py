"""One who stands at the bus: sees every item that passes, and can put others into a letter-box."""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import nats
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg

from gateway.bus.permissions import inbox_prefix
from gateway.bus.subjects import mail_subject
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import MESSAGE, RECEIPT
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.message_pb2 import Message, MessageHeader, Receipt, ReceiptItem

OBSERVER = "observer"


@dataclass
class Seen:
    """One item on its way."""

    subject: str
    headers: dict[str, str]
    data: bytes

    @cached_property
    def envelope(self) -> SignedEnvelope:
        """The item as a signed envelope; an empty one when it is none."""
        return _envelope(self.data)

    @cached_property
    def header(self) -> MessageHeader | None:
        """The clear header, when it is a message."""
        if self.envelope.payload_type != MESSAGE:
            return None
        return MessageHeader.FromString(Message.FromString(self.envelope.payload).header)

    @cached_property
    def receipt(self) -> Receipt | None:
        """The receipt, when it is one."""
        if self.envelope.payload_type != RECEIPT:
            return None
        return Receipt.FromString(self.envelope.payload)

    def answers_to(self, data: bytes) -> list[ReceiptItem]:
        """What this item, when it is a receipt, says of the message with these bytes."""
        payload = _envelope(data).payload
        items = self.receipt.items if self.receipt else ()
        return [item for item in items if item.message_digest == hashlib.sha256(payload).digest()]


def _envelope(data: bytes) -> SignedEnvelope:
    try:
        return SignedEnvelope.FromString(data)
    except DecodeError:
        return SignedEnvelope()


class Observer:
    """Keeps what passed, in order."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self.seen: list[Seen] = []

    @classmethod
    async def connect(cls, url: str, ca: Path, seed: str) -> Self:
        """Connect, and return when everything published from now on is seen."""
        client = await nats.connect(
            url,
            name=OBSERVER,
            tls=ssl.create_default_context(cafile=str(ca)),
            nkeys_seed_str=seed,
            inbox_prefix=inbox_prefix(OBSERVER),
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0,
            error_cb=_ignore,
        )
        observer = cls(client)
        await client.subscribe("dx.v1.mail.>", cb=observer._note)
        await client.flush()
        return observer

    async def _note(self, item: Msg) -> None:
        self.seen.append(Seen(item.subject, dict(item.headers or {}), item.data))

    async def put(self, receiver: OrgId, data: bytes) -> None:
        """Put bytes into a letter-box and wait until the broker has them on disk."""
        answer = await self._client.request(mail_subject(receiver), data, timeout=10.0)
        assert b'"error"' not in answer.data, answer.data

    async def ask(self, subject: str) -> bytes:
        """Ask the broker a question that an observer may ask."""
        return (await self._client.request(subject, b"", timeout=10.0)).data

    async def caught_up(self) -> None:
        """Return when everything that passed before has been seen."""
        await self._client.flush()

    async def close(self) -> None:
        """Leave."""
        await self._client.close()

    def between(self, sender: OrgId, receiver: OrgId) -> list[Seen]:
        """Messages of one organisation to another, in order, repetitions included."""
        pair = (str(sender), str(receiver))
        return [item for item in self.seen if (h := item.header) and (h.sender, h.receiver) == pair]

    def receipts_for(self, data: bytes) -> list[bytes]:
        """Receipts, as their bytes, that answer the message with these bytes."""
        return [item.data for item in self.seen if item.answers_to(data)]

    def answers_to(self, data: bytes) -> list[ReceiptItem]:
        """What the receipts say of the message with these bytes, in order."""
        return [answer for item in self.seen for answer in item.answers_to(data)]


async def _ignore(_error: Exception) -> None:
    """Lost links are part of some tests; the client says so on the error channel."""
