"""The chains of published facts begin anew when their source finds that it lost its memory.

Otherwise it would give a number twice, and a subscriber would pass over the second fact as one that
it has.
"""

from datetime import UTC, datetime
from typing import Final

from gateway.domain.organisations import OrgId
from gateway.ports.store import Work
from gateway.service.desk import Desk

_INCARNATION: Final = "fact chains"
_SINCE: Final = datetime(1970, 1, 1, tzinfo=UTC)


def incarnation_of(work: Work, org: OrgId) -> int:
    """Return the incarnation of the organisation's chains; 0 while it never lost its memory."""
    return int(work.bookmarks.get(org, _INCARNATION) or 0)


def renew_chains(desk: Desk) -> None:
    """Begin every chain of the organisation anew, at number 1 and with the first fact in its log.

    The incarnation is named after the second: the store may have forgotten one before.
    """
    incarnation = max(
        incarnation_of(desk.work, desk.org) + 1, int((desk.now - _SINCE).total_seconds())
    )
    desk.work.bookmarks.set(desk.org, _INCARNATION, str(incarnation))
    desk.work.facts.clear(desk.org)
