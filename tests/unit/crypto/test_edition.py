"""The wire form of the directory."""

from collections.abc import Callable

import pytest

from gateway.crypto.edition import decode_edition, encode_edition
from gateway.crypto.faults import DirectoryFault
from gateway.domain.keys import KeyPurpose
from gateway.v1.directory_pb2 import DirectoryDocument
from tests.unit.crypto.bench import NOW, WUHUA, Bench


def test_edition_comes_back_whole(bench: Bench) -> None:
    """Every field survives the way to the wire and back."""
    key = bench.key(WUHUA)
    bench.key(WUHUA, KeyPurpose.SEAL)
    bench.revoke(key, NOW)
    edition = bench.edition(version=5)
    assert decode_edition(encode_edition(edition)) == edition


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: setattr(d.keys[0], "purpose", 0),
        lambda d: setattr(d.keys[0], "purpose", 99),
        lambda d: setattr(d.keys[0], "algorithm", 0),
        lambda d: setattr(d.keys[0], "algorithm", 99),
        lambda d: setattr(d.keys[0], "organisation", "530627000000/edu"),
        lambda d: setattr(d.keys[0].not_after, "seconds", 2**62),
        lambda d: setattr(d.issued_at, "nanos", -1),
        lambda d: setattr(d.organisations[0], "organisation", "53/xyz"),
        lambda d: setattr(d.organisations[0], "superior", "53"),
        lambda d: setattr(d.organisations[0], "township", "530102"),
        lambda d: d.keys[0].ClearField("not_before") or d.keys[0].ClearField("not_after"),
        lambda d: d.Clear(),
    ],
)
def test_impossible_values_are_refused(
    bench: Bench, spoil: Callable[[DirectoryDocument], object]
) -> None:
    """A value that this gateway cannot understand refuses the edition whole."""
    bench.key(WUHUA)
    document = DirectoryDocument.FromString(encode_edition(bench.edition()))
    spoil(document)
    with pytest.raises(DirectoryFault):
        decode_edition(document.SerializeToString())
