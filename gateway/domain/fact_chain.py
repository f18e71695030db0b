"""The chain of published facts of one source and one kind, as a subscriber follows it.

The carrier may lose, double and reorder notices. A subscriber that keeps nothing but the last
number and hash it has taken tells each case from the others, and what it lacks it reads again from
the source's store.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class FactChain:
    """How far a chain has got: the last number (0 for none) and that notice's hash (hex).

    A source that lost its memory begins the chain anew, in a higher incarnation.
    """

    sequence: int = 0
    head: str = ""
    incarnation: int = 0

    def heard(self, incarnation: int) -> "FactChain":
        """Return the chain as a notice of that incarnation meets it: a higher one begins anew."""
        return FactChain(incarnation=incarnation) if incarnation > self.incarnation else self

    def advanced(self, digest: str) -> "FactChain":
        """Return the chain with one more notice, whose signed payload has that hash."""
        return FactChain(self.sequence + 1, digest, self.incarnation)


class FactVerdict(StrEnum):
    """What a subscriber does with a notice."""

    TAKE = "TAKE"
    """It is the next one."""
    REPEATED = "REPEATED"
    """It was taken before, or belongs to a chain that has ended: pass over it."""
    GAP = "GAP"
    """Notices before it are missing: read them from the source, then this one again."""
    FORKED = "FORKED"
    """It contradicts what was taken: the source has two histories. Stop, and raise it."""


def judge_notice(
    chain: FactChain, sequence: int, previous: str, digest: str, incarnation: int = 0
) -> FactVerdict:
    """Decide on a notice whose signature and source have been verified.

    Args:
        chain: what the subscriber has taken.
        sequence: the notice's number.
        previous: hash (hex) that it names for the notice before it; empty in the first.
        digest: hash (hex) of its own signed payload.
        incarnation: that of the chain it belongs to; what is taken of a higher one is taken by
            `chain.heard(incarnation)`.
    """
    if incarnation < chain.incarnation:
        return FactVerdict.REPEATED
    chain = chain.heard(incarnation)
    if sequence > chain.sequence + 1:
        return FactVerdict.GAP
    if sequence == chain.sequence + 1:
        return FactVerdict.TAKE if previous == chain.head else FactVerdict.FORKED
    if sequence < 1 or (sequence == chain.sequence and digest != chain.head):
        return FactVerdict.FORKED
    return FactVerdict.REPEATED
