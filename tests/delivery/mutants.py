"""Gateways with a fault put into them. The simulation must find each out, or it is decoration."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from gateway.crypto.sealer import KeyringSealer
from gateway.domain.cases import DropoutCase
from gateway.domain.keys import PublicKey
from gateway.domain.lanes import Arrival, ReceivingLane, SendingLane, Verdict, judge
from gateway.domain.organisations import OrgId
from gateway.ports.inbox import InMessage
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import StoreUnavailable, Work
from gateway.service import answer_letter, take_mail
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, answer
from gateway.service.mail_room import MailRoom
from gateway.store.inbox import SqlInbox
from gateway.store.outbox import SqlOutbox
from gateway.store.shelves import SqlShelf
from gateway.store.writer import SqlStore
from gateway.transport import methods
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.message_pb2 import Message

_WINDOW = 3  # messages


def lost_after_publishing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that takes the carrier's word for delivery."""
    sent = SqlOutbox.sent

    def forget(self: SqlOutbox, message_ids: Sequence[str], next_attempt: datetime) -> None:
        sent(self, message_ids, next_attempt)
        for message_id in message_ids:
            self.close(message_id, MessageState.SENT, "", None)

    monkeypatch.setattr(SqlOutbox, "sent", forget)


def no_memory_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not recognise what it took."""

    def judge_anew(lane: ReceivingLane, arrival: Arrival, *_digests: str | None) -> Verdict:
        return Verdict.KEEP if arrival.sequence > lane.next_sequence else Verdict.TAKE

    monkeypatch.setattr(take_mail, "judge", judge_anew)


def no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that takes what comes, gap or no gap."""

    def judge_no_gap(*args: Any) -> Verdict:
        verdict = judge(*args)
        return Verdict.TAKE if verdict is Verdict.KEEP else verdict

    monkeypatch.setattr(take_mail, "judge", judge_no_gap)


def other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that leaves holes in its numbering."""
    advanced = SendingLane.advanced

    def skip(self: SendingLane, digest: str) -> SendingLane:
        following = advanced(self, digest)
        return replace(following, next_sequence=following.next_sequence + 1)

    monkeypatch.setattr(SendingLane, "advanced", skip)


def other_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that answers a repeated message with a new receipt."""

    def answer_anew(desk: Desk, arrived: Any, _lane: Any, _known: Any, replies: Replies) -> None:
        answer(desk, replies, arrived, ())

    monkeypatch.setattr(take_mail, "_answer_repeated", answer_anew)


def deaf_to_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not heed what its peers say of their lanes."""

    def overhear(*_args: Any) -> None:
        return None

    monkeypatch.setattr(take_mail, "take_statement", overhear)


def own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that acts as soon as it has accepted, before the grant."""

    def accept_and_take(desk: Desk, request: Any) -> Any:
        response = answer_letter.accept_lines(desk, request)
        for line in response.letter.lines:
            case = desk.work.cases.require(desk.org, line.case_id)
            desk.work.cases.put(desk.org, case.changed(desk.now, holder=desk.org))
        return response

    monkeypatch.setitem(methods.COMMANDS, "LetterService/AcceptLines", accept_and_take)


def answer_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that answers what it has worked out, kept or not."""
    write = SqlStore.write

    async def answer_anyway(self: SqlStore, task: Callable[[Work], Any]) -> Any:
        found: list[Any] = []

        def keep(work: Work) -> Any:
            found.append(task(work))
            return found[-1]

        try:
            return await write(self, keep)
        except StoreUnavailable:
            if not found:
                raise
            return found[-1]

    monkeypatch.setattr(SqlStore, "write", answer_anyway)


def receipt_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that sends the receipt whether or not it kept what it receipts."""

    async def take(self: MailRoom, org: OrgId, batch: Sequence[bytes]) -> None:
        arrivals, desk = self._read(org, batch), self._desk(org)
        replies: list[tuple[OrgId, bytes]] = []

        def write(work: Work) -> None:
            replies[:] = take_mail.take_mail(desk(work), arrivals)

        with suppress(StoreUnavailable):
            await self._store.write(write)
        await self._reply(replies)

    monkeypatch.setattr(MailRoom, "_take", take)


def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that recognises repetitions within a window only, as a broker does."""
    by_id, by_number = SqlInbox.by_id, SqlInbox.by_number

    def lately(self: SqlInbox, receiver: OrgId, known: InMessage | None) -> InMessage | None:
        if known is None:
            return None
        oldest = self.lane(receiver, known.sender).next_sequence - _WINDOW
        return known if known.sequence >= oldest else None

    def by_recent_id(self: SqlInbox, receiver: OrgId, *key: Any) -> InMessage | None:
        return lately(self, receiver, by_id(self, receiver, *key))

    def by_recent_number(self: SqlInbox, receiver: OrgId, *key: Any) -> InMessage | None:
        return lately(self, receiver, by_number(self, receiver, *key))

    monkeypatch.setattr(SqlInbox, "by_id", by_recent_id)
    monkeypatch.setattr(SqlInbox, "by_number", by_recent_number)


def serialised_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that writes a message anew when it sends it again."""
    due = SqlOutbox.due

    def rewritten(message: OutMessage) -> OutMessage:
        envelope = SignedEnvelope.FromString(message.envelope)
        fields = Message.FromString(envelope.payload)
        # The same message to any reader, in another order of its fields.
        envelope.payload = (
            Message(sealed_content=fields.sealed_content).SerializeToString()
            + Message(header=fields.header).SerializeToString()
        )
        return replace(
            message,
            envelope=envelope.SerializeToString(),
            digest=hashlib.sha256(envelope.payload).hexdigest(),
        )

    def again(self: SqlOutbox, *args: Any) -> Sequence[OutMessage]:
        return [rewritten(m) if m.attempts else m for m in due(self, *args)]

    monkeypatch.setattr(SqlOutbox, "due", again)


def in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that does not seal, and a receiver that does not mind."""

    def seal(_self: KeyringSealer, _key: PublicKey, _header: bytes, content: bytes) -> bytes:
        return content

    def open_(
        _self: KeyringSealer, _org: OrgId, _key_id: str, _header: bytes, sealed: bytes
    ) -> bytes:
        return sealed

    monkeypatch.setattr(KeyringSealer, "seal", seal)
    monkeypatch.setattr(KeyringSealer, "open", open_)


def keeps_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that grants its title away and acts on."""
    put = SqlShelf.put

    def hold_on(self: SqlShelf[Any], org: OrgId, value: Any) -> None:
        if isinstance(value, DropoutCase):
            before = self.get(org, value.id)
            if before is not None and before.holder == org:
                value = replace(value, holder=org)
        put(self, org, value)

    monkeypatch.setattr(SqlShelf, "put", hold_on)


def ack_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that tells the broker to forget what it has not kept. Harmless: see `HARMLESS`."""
    take = MailRoom._take

    async def take_or_not(self: MailRoom, org: OrgId, batch: Sequence[bytes]) -> None:
        with suppress(StoreUnavailable):
            await take(self, org, batch)

    monkeypatch.setattr(MailRoom, "_take", take_or_not)


@dataclass(frozen=True)
class Mutant:
    """A fault, and the invariant that finds it out."""

    breaks: str
    put_in: Callable[[pytest.MonkeyPatch], None]

    @property
    def name(self) -> str:
        """The fault's name."""
        return self.put_in.__name__


MUTANTS = (
    Mutant("I1", lost_after_publishing),
    Mutant("I1", answer_before_commit),
    Mutant("I1", receipt_before_commit),
    Mutant("I1", deaf_to_statements),
    Mutant("I2", no_memory_of_messages),
    Mutant("I2", short_memory),
    Mutant("I3", serialised_anew),
    Mutant("I4", in_the_clear),
    Mutant("I5", other_receipts),
    Mutant("I6", no_order),
    Mutant("I6", other_numbers),
    Mutant("one actor", own_word),
    Mutant("one actor", keeps_the_case),
)

HARMLESS = Mutant("", ack_before_commit)
"""The sender's store keeps everything until the receipt, so the broker's memory matters to nobody."""
