"""Own messages that wait long for a receipt: what is overdue, what is dead, what is asked for anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import OutMessage


class Backlog(Protocol):
    """Messages of the outbox beyond their usual course."""

    def revive(
        self,
        sender: OrgId,
        receiver: OrgId,
        incarnation: int,
        first: int,
        last: int,
        now: datetime,
        *,
        receipted: bool = False,
    ) -> int:
        """Make these messages due now, the dead ones too, never the replaced; return how many.

        A dead one goes out and stays on its list until the receipt comes. Those with a receipt only
        when `receipted`: the peer has lost what it answered, and their term begins anew. That of
        the others goes on, however often the peer asks.
        """
        ...

    def first_beyond(
        self, sender: OrgId, receiver: OrgId, taken: LaneHead, before: int
    ) -> OutMessage | None:
        """Return the first message with a receipt that lies beyond what the receiver has taken, in
        an incarnation below `before`, or None.
        """
        ...

    def put_back(self, sender: OrgId, receiver: OrgId, taken: LaneHead, before: int) -> int:
        """Give all those up as messages and return how many; what they carried waits to be packed
        again.
        """
        ...

    def restart(self, message_id: str, now: datetime) -> None:
        """Make a dead message due now and begin its term anew."""
        ...

    def overdue(self, before: datetime, limit: int) -> Sequence[OutMessage]:
        """Return messages that were given no receipt at all and wait since before that moment."""
        ...

    def bury(self, message_id: str) -> None:
        """Send a message no more by itself."""
        ...
