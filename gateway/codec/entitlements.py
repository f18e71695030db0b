"""Entitlements of the directory."""

from gateway.codec import enums, fields
from gateway.domain.division_codes import canonical_code
from gateway.domain.entitlements import MOST_PURPOSE, Entitlement
from gateway.domain.facts import FactKind
from gateway.v1.directory_pb2 import Entitlement as Wire


def encode_entitlement(entitlement: Entitlement) -> Wire:
    """Return it in the form of the contract."""
    return Wire(
        organisation=str(entitlement.organisation),
        division=entitlement.division,
        types=sorted(enums.wire(kind) for kind in entitlement.kinds),
        not_before=fields.timestamp(entitlement.not_before),
        not_after=fields.timestamp(entitlement.not_after),
        purpose=entitlement.purpose,
    )


def decode_entitlement(wire: Wire) -> Entitlement:
    """Read it. A kind that this release does not know gives no right here, and is left out.

    Raises:
        Refusal: a field is missing or malformed.
    """
    if canonical_code(wire.division) != wire.division:
        raise fields.invalid("division", "The division is padded.", "Write its code without zeros.")
    known = (enums.maybe(FactKind, number) for number in wire.types)
    return Entitlement(
        organisation=fields.organisation(wire.organisation, "organisation"),
        division=wire.division,
        kinds=frozenset(kind for kind in known if kind is not None),
        not_before=fields.moment(wire.not_before, "not_before"),
        not_after=fields.moment(wire.not_after, "not_after"),
        purpose=fields.text(wire.purpose, "purpose", MOST_PURPOSE, required=True),
    )
