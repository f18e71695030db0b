"""The pause between two answers to one peer: a small statement costs much here, and who means it
says it again.
"""

from datetime import datetime, timedelta

from gateway.domain.organisations import OrgId
from gateway.service.desk import Desk


def too_soon(desk: Desk, peer: OrgId, what: str, pause: timedelta) -> bool:
    """Say whether the peer was answered a moment ago, and note that it is now if it was not."""
    name = f"{what} {peer}"
    last = desk.work.bookmarks.get(desk.org, name)
    if last and timedelta() <= desk.now - datetime.fromisoformat(last) < pause:
        return True
    desk.work.bookmarks.set(desk.org, name, desk.now.isoformat())
    return False
