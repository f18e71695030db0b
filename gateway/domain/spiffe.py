"""Who a certificate speaks for: read from its URI name, and from nothing else.

Names follow SPIFFE (spiffe-id.md, X509-SVID.md): `spiffe://dropout-gateway/org/530102/edu` for the
systems of an organisation, `spiffe://dropout-gateway/node/wuhua` for a node. Common names and DNS
names say nothing about identity.
"""

from collections.abc import Sequence
from typing import Final

from gateway.domain.errors import Refusal
from gateway.domain.organisations import OrgId

_ORGANISATION: Final = "spiffe://dropout-gateway/org/"
_NODE: Final = "spiffe://dropout-gateway/node/"
_BROKER: Final = "spiffe://dropout-gateway/broker"


def organisation_uri(org: OrgId) -> str:
    """Return the URI name in the client certificates of an organisation."""
    return f"{_ORGANISATION}{org}"


def node_uri(name: str) -> str:
    """Return the URI name in the server certificate of a node."""
    return f"{_NODE}{name}"


def broker_uri() -> str:
    """Return the URI name in the server certificate of the broker."""
    return _BROKER


def organisation_of(san_uris: Sequence[str]) -> OrgId | None:
    """Return the organisation that a certificate speaks for, or None.

    Args:
        san_uris: the URI names of the verified certificate's subjectAltName, all of them.

    None means no identity: no URI, more than one (X509-SVID section 2 forbids that), another
    trust domain, or a path that is not the code of an organisation as this gateway writes it.
    """
    if len(san_uris) != 1 or not san_uris[0].startswith(_ORGANISATION):
        return None
    try:
        return OrgId.parse(san_uris[0].removeprefix(_ORGANISATION))
    except Refusal:
        return None
