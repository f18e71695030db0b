"""Entitlements in the signed directory: what the authority enters, and what no node takes."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.crypto.authority import (
    end_entitlements,
    grant_entitlement,
    read_edition,
    sign_directory,
)
from gateway.crypto.edition import decode_edition, encode_edition
from gateway.crypto.faults import DirectoryFault
from gateway.domain.entitlements import Entitlement
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.v1.directory_pb2 import DirectoryDocument
from tests.unit.crypto.bench import DAY, NOW, WUHUA, ZHENXIONG, Bench

GRANTED = FactKind.TITLE_GRANTED
RIGHT = Entitlement(WUHUA, "5306", frozenset({GRANTED}), NOW, NOW + DAY, "art. 14.6")


def test_entitlement_is_the_next_edition(bench: Bench) -> None:
    """A running node takes it on reload, whole; everything else stays as it was."""
    bench.key(WUHUA)
    directory = bench.directory()
    made = grant_entitlement(bench.path, bench.authority, RIGHT, now=NOW)
    assert made.version == 2
    assert directory.reload()
    assert list(directory.entitlements()) == [RIGHT]
    assert read_edition(bench.path, bench.authority) == made
    assert made.keys == bench.edition().keys


def test_entitlements_end_and_stay_listed(bench: Bench) -> None:
    """What is in force ends now, what lies ahead is dropped, what has ended is kept as it was."""
    ended = replace(RIGHT, not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    ahead = replace(RIGHT, not_before=NOW + DAY, not_after=NOW + 2 * DAY)
    others = replace(RIGHT, organisation=ZHENXIONG)
    bench.publish()
    begun = replace(RIGHT, not_before=NOW - DAY)
    for one in (ended, begun, ahead, others):
        grant_entitlement(bench.path, bench.authority, one, now=NOW)
    made = end_entitlements(bench.path, bench.authority, WUHUA, now=NOW)
    assert made.entitlements == (ended, replace(begun, not_after=NOW), others)
    with pytest.raises(DirectoryFault, match="no entitlement in force"):
        end_entitlements(bench.path, bench.authority, WUHUA, now=NOW)


@pytest.mark.parametrize(
    ("right", "named"),
    [
        (replace(RIGHT, organisation=OrgId.parse("53/sup")), "for nobody whom it lists"),
        (replace(RIGHT, kinds=frozenset({FactKind.STUDENT_RETURNED})), "student_returned"),
        (replace(RIGHT, kinds=frozenset({FactKind.HUKOU_QUERIED})), "hukou_queried"),
        (replace(RIGHT, not_after=NOW), "ends before it begins"),
        (replace(RIGHT, division="530600"), "padded"),
        (replace(RIGHT, division="x"), "division"),
        (replace(RIGHT, purpose=" "), "purpose"),
    ],
)
def test_what_nobody_may_have_is_not_signed(bench: Bench, right: Entitlement, named: str) -> None:
    """The authority cannot sign a right beyond the table or one that says nothing, by a slip."""
    edition = replace(bench.edition(), entitlements=(right,))
    with pytest.raises(DirectoryFault, match=named):
        sign_directory(edition, Ed25519PrivateKey.generate())


def test_a_kind_of_a_later_release_gives_no_right_here(bench: Bench) -> None:
    """A node that is older than the directory passes over what it does not know."""
    edition = replace(bench.edition(), entitlements=(RIGHT,))
    document = DirectoryDocument.FromString(encode_edition(edition))
    document.entitlements[0].types.append(999)  # type: ignore[arg-type]
    assert decode_edition(document.SerializeToString()) == edition
