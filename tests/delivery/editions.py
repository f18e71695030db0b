"""Editions of the directory in a province: one that a node's old disk brought back with it."""

from collections.abc import Callable, Collection
from dataclasses import replace

from gateway.crypto.directory import SignedDirectory, _index
from gateway.domain.organisations import OrgId
from tests.world.province import Province


def bring_back_edition(
    province: Province, at: OrgId, version: int, unlisted: Collection[OrgId]
) -> Callable[[], None]:
    """Put an edition without some organisations in force at a node; the answer puts the newest back,
    as an operator does who fetches it.
    """
    directory = province.node_of[at].tools.directory
    assert isinstance(directory, SignedDirectory)
    newest = directory._now
    edition = newest.edition
    old = replace(
        edition,
        version=version,
        organisations=tuple(org for org in edition.organisations if org.id not in unlisted),
        keys=tuple(key for key in edition.keys if key.owner not in unlisted),
    )
    directory._now = _index(old, b"")

    def renew() -> None:
        directory._now = newest

    return renew
