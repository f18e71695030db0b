"""Titles: who may act on a case, passing hand to hand (rules of the title, 1-5).

A title is made only by the store of the present holder, names the one before it by hash, and is
signed by its maker. This module checks and makes the values; signatures are checked outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId, Role


class TitleCause(StrEnum):
    """Why a title was made."""

    CONFIRMED = "CONFIRMED"
    ACCEPTED = "ACCEPTED"
    DESIGNATED = "DESIGNATED"
    DEPOSED = "DEPOSED"


@dataclass(frozen=True, order=True)
class Epoch:
    """Order of titles: term first, then number."""

    term: int
    number: int

    def __str__(self) -> str:
        return f"{self.term}.{self.number}"


@dataclass(frozen=True)
class TitleRef:
    """A title by name: epoch, hex SHA-256 of its payload bytes, and holder."""

    epoch: Epoch
    hash: str
    holder: OrgId


@dataclass(frozen=True)
class Title:
    """The content of a title. `hash` and `previous_hash` are hex SHA-256 of payload bytes."""

    case_id: str
    epoch: Epoch
    holder: OrgId
    maker: OrgId
    previous_hash: str
    cause: TitleCause
    cause_event_id: str
    hash: str = ""

    @property
    def ref(self) -> TitleRef:
        """The title by name."""
        return TitleRef(self.epoch, self.hash, self.holder)


def first_title(case_id: str, holder: OrgId, cause_event_id: str) -> Title:
    """Make the title that confirmation gives to the enrolment bureau (term 1, number 0)."""
    return Title(case_id, Epoch(1, 0), holder, holder, "", TitleCause.CONFIRMED, cause_event_id)


def granted_title(present: Title, to: OrgId, cause_event_id: str) -> Title:
    """Make the title that follows an accepted offer: same term, next number (rule 2)."""
    return Title(
        present.case_id,
        Epoch(present.epoch.term, present.epoch.number + 1),
        to,
        present.holder,
        present.hash,
        TitleCause.ACCEPTED,
        cause_event_id,
    )


def check_successor(previous: Title | None, title: Title) -> None:
    """Check that `title` may follow `previous` (None: that it may be a case's first).

    Raises Refusal(TITLE_INVALID) when the chain does not hold together.
    """
    if previous is None:
        fits = (
            title.epoch == Epoch(1, 0)
            and title.maker == title.holder
            and title.holder.role is Role.EDU
            and title.cause is TitleCause.CONFIRMED
            and not title.previous_hash
        )
    else:
        fits = (
            title.case_id == previous.case_id
            and title.epoch == Epoch(previous.epoch.term, previous.epoch.number + 1)
            and title.maker == previous.holder
            and title.holder != previous.holder
            and title.holder.role is Role.EDU
            and title.cause is TitleCause.ACCEPTED
            and title.previous_hash == previous.hash
        )
    if not fits:
        raise Refusal(
            Reason.TITLE_INVALID,
            f"Title {title.epoch} does not follow from the titles known of this case.",
            "Ask the sender for the whole chain of titles of the case.",
            epoch=str(title.epoch),
        )


def merge_chain(known: Sequence[Title], brought: Sequence[Title]) -> tuple[Title, ...]:
    """Return those titles of `brought` that extend `known`, in order.

    A title already known is passed over; one of the same epoch with another hash, or one that does
    not follow, raises Refusal(TITLE_INVALID): two holders must never come to be (rule 7).
    """
    by_epoch = {title.epoch: title for title in known}
    last = known[-1] if known else None
    added: list[Title] = []
    for title in sorted(brought, key=lambda t: t.epoch):
        same = by_epoch.get(title.epoch)
        if same is None:
            check_successor(last, title)
            added.append(title)
            by_epoch[title.epoch] = last = title
        elif same.hash != title.hash:
            raise Refusal(
                Reason.TITLE_INVALID,
                f"Two different titles claim to be number {title.epoch} of this case.",
                "Keep both as evidence and ask the common superior to designate the holder.",
                epoch=str(title.epoch),
            )
    return tuple(added)
