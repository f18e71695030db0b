"""What became of an item that was put into a letter-box: taken, refused, parked or set aside."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.v1 import error_pb2, message_pb2
from gateway.v1.message_pb2 import ReceiptItem
from tests.world.forger import Forger
from tests.world.waiting import eventually


class State(NamedTuple):
    """Everything of an organisation's store that hostile mail must not change."""

    events: int
    letters: int
    cases: int


class LetterBox:
    """The letter-box of one organisation, watched from the bus and from its store."""

    def __init__(self, forger: Forger, owner: OrgId) -> None:
        self.forger = forger
        self.world = forger.world
        self.owner = owner

    def state(self) -> State:
        """Return what the owner has."""
        org = self.owner
        return self.world.look(
            org,
            lambda work: State(
                work.events.end(org),
                len(work.letters.page(org, limit=1000)),
                len(work.cases.page(org, limit=1000)),
            ),
        )

    def quarantined(self) -> list[str]:
        """Return the reasons of everything that was set aside at the owner, oldest first."""
        letters = self.world.look(self.owner, lambda work: work.dead_letters.page(self.owner))
        return [letter.reason for letter in letters]

    def set_aside(self, data: bytes) -> Reason:
        """Put bytes in; return why they were set aside. No receipt answers them."""
        before, count = self.state(), len(self.quarantined())
        self.forger.put(self.owner, data)
        eventually(lambda: len(self.quarantined()) > count, "the dead letter")
        assert self.state() == before, "what was set aside changed the state"
        assert not self._receipts(data), "what was set aside was answered"
        return Reason(self.quarantined()[-1])

    def out_of_place(self, data: bytes) -> Reason:
        """Put in a message that has no place on its lane; return why it was refused, in the open."""
        before, count = self.state(), len(self.quarantined())
        self.forger.put(self.owner, data)
        item = self.receipt(data)
        assert item.outcome == message_pb2.RECEIPT_OUTCOME_REFUSED
        assert self.state() == before, "refused mail changed the state"
        assert len(self.quarantined()) > count, "no evidence was kept"
        return _only_reason(item)

    def answer(self, sender: OrgId, data: bytes, *, times: int = 1) -> ReceiptItem:
        """Put a message in, in its turn; return what the last of so many receipts says of it."""
        self.forger.sent(sender, self.owner, data)
        return self.receipt(data, times=times)

    def receipt(self, data: bytes, *, times: int = 1) -> ReceiptItem:
        """Wait for so many receipts; return what the last one says of the message."""
        receipts = eventually(
            lambda: found if len(found := self._receipts(data)) >= times else None, "a receipt"
        )
        assert receipts is not None
        return receipts[-1]

    def refused(self, sender: OrgId, data: bytes) -> Reason:
        """Put a message in whose one event is refused; the lane goes on, the state does not."""
        before = self.state()
        item = self.answer(sender, data)
        assert item.outcome == message_pb2.RECEIPT_OUTCOME_REFUSED
        assert self.state() == before, "refused mail changed the state"
        return _only_reason(item)

    def has_letter(self, letter_id: str) -> bool:
        """Whether the owner has the letter."""
        found = self.world.look(self.owner, lambda work: work.letters.get(self.owner, letter_id))
        return found is not None

    def receipt_bytes(self, data: bytes) -> list[bytes]:
        """Return the signed bytes of every receipt for a message that passed on the bus."""
        return self.world.observer.receipts_for(data)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        eventually(condition, what)

    def _receipts(self, data: bytes) -> list[ReceiptItem]:
        self.world.run(self.world.observer.caught_up())
        return self.world.observer.answers_to(data)


def _only_reason(item: ReceiptItem) -> Reason:
    (exception,) = item.exceptions
    name = error_pb2.ErrorReason.Name(exception.reason)
    return Reason(name.removeprefix("ERROR_REASON_"))
