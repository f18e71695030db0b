"""The balance of a lane: every number given is accounted for exactly once, on either end."""

from dataclasses import dataclass

from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class LaneBalance:
    """The counts of one incarnation of the lane to a peer, and of the lane from it.

    Each counts what the store can prove: `receipted` and `rejected` only messages whose receipt is
    in it, `in_flight` only those that will be sent again by themselves.
    """

    peer: OrgId
    incarnation: int = 1
    numbered: int = 0
    stored: int = 0
    receipted: int = 0
    rejected: int = 0
    in_flight: int = 0
    dead: int = 0
    received: int = 0
    answered: int = 0
    replaced: int = 0

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing and nothing counted twice."""
        on_record = self.receipted + self.rejected + self.replaced
        accounted = on_record + self.in_flight + self.dead
        return self.numbered == self.stored == accounted and self.received == self.answered
