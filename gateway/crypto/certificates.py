"""A development certificate authority: X.509 (RFC 5280) on P-256, for loopback.

Good for a laptop and for tests. In production the province's own authority issues certificates
with the same names; see `gateway.domain.spiffe`.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.crypto.faults import KeyFault
from gateway.domain.organisations import OrgId
from gateway.domain.spiffe import broker_uri, node_uri, organisation_uri

_LOOPBACK: Final = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)
_MAX_COMMON_NAME: Final = 64  # RFC 5280 appendix A, ub-common-name


@dataclass(frozen=True)
class Validity:
    """From and until when something is valid; both aware, the end excluded for keys."""

    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key (PKCS #8), both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        """Return a form without the key."""
        return "Issued(certificate and key)"


def make_ca(validity: Validity) -> Issued:
    """Make a self-signed authority that may issue end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("dropout-gateway development CA")
    builder = _builder(name, name, key.public_key(), validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(ca=True), critical=True)
    return _issued(builder.sign(key, hashes.SHA256()), key)


def issue_node(ca: Issued, name: str, validity: Validity) -> Issued:
    """Issue the server certificate of a node, reachable on loopback."""
    names = [x509.UniformResourceIdentifier(node_uri(name)), *_LOOPBACK]
    return _issue(ca, f"node {name}", names, ExtendedKeyUsageOID.SERVER_AUTH, validity)


def issue_broker(ca: Issued, validity: Validity) -> Issued:
    """Issue the server certificate of the broker, reachable on loopback."""
    names = [x509.UniformResourceIdentifier(broker_uri()), *_LOOPBACK]
    return _issue(ca, "broker", names, ExtendedKeyUsageOID.SERVER_AUTH, validity)


def issue_organisation(ca: Issued, org: OrgId, validity: Validity) -> Issued:
    """Issue a client certificate with which systems of the organisation call its node."""
    names = [x509.UniformResourceIdentifier(organisation_uri(org))]
    return _issue(ca, f"org {org}", names, ExtendedKeyUsageOID.CLIENT_AUTH, validity)


def _issue(
    ca: Issued,
    common_name: str,
    names: Sequence[x509.GeneralName],
    purpose: x509.ObjectIdentifier,
    validity: Validity,
) -> Issued:
    authority = x509.load_pem_x509_certificate(ca.certificate)
    authority_key = load_pem_private_key(ca.key, password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise KeyFault("The key of the development CA is no P-256 key.", "Make a new CA.")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(common_name), authority.subject, key.public_key(), validity)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(ca=False), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return _issued(builder.sign(authority_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    """For people who read certificates; identity is never taken from it."""
    text = common_name[:_MAX_COMMON_NAME]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    return Issued(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
