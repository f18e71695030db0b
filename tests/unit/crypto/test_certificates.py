"""Development certificates."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.crypto.certificates import (
    Issued,
    Validity,
    issue_broker,
    issue_node,
    issue_organisation,
    make_ca,
)
from gateway.domain.organisations import OrgId
from gateway.domain.spiffe import organisation_of
from tests.unit.crypto.bench import DAY, NOW, WUHUA

SPAN = Validity(NOW - DAY, NOW + DAY)
CA = make_ca(SPAN)
LOCALHOST = x509.DNSName("localhost")
SCHOOL = OrgId.parse("530102/sch/3153000123")


def parsed(issued: Issued) -> x509.Certificate:
    """Read the PEM."""
    return x509.load_pem_x509_certificate(issued.certificate)


def uris(issued: Issued) -> list[str]:
    """The URI names of a certificate."""
    names = parsed(issued).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def policy(ca: Issued = CA, days: float = 0) -> PolicyBuilder:
    """Verification against a CA, some days from now."""
    return PolicyBuilder().store(Store([parsed(ca)])).time(NOW + timedelta(days=days))


@pytest.mark.parametrize("org", [WUHUA, SCHOOL])
def test_client_certificate_names_its_organisation(org: OrgId) -> None:
    """A path validation succeeds for a client, and the URI is the identity."""
    issued = issue_organisation(CA, org, SPAN)
    verified = policy().build_client_verifier().verify(parsed(issued), [])
    assert verified.subjects is not None
    assert uris(issued) == [f"spiffe://dropout-gateway/org/{org}"]
    assert organisation_of(uris(issued)) == org


@pytest.mark.parametrize(
    "issue",
    [lambda: issue_node(CA, "wuhua", SPAN), lambda: issue_broker(CA, SPAN)],
    ids=["node", "broker"],
)
def test_server_certificates_hold_on_loopback(issue: Callable[[], Issued]) -> None:
    """Node and broker are servers on loopback, and no organisation."""
    certificate = issue()
    policy().build_server_verifier(LOCALHOST).verify(parsed(certificate), [])
    names = parsed(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses] == ["127.0.0.1", "::1"]
    assert organisation_of(uris(certificate)) is None


def test_each_certificate_serves_one_purpose() -> None:
    """A client certificate is no server's, and the other way round."""
    client, server = issue_organisation(CA, WUHUA, SPAN), issue_node(CA, "wuhua", SPAN)
    for issued, purpose in (
        (client, ExtendedKeyUsageOID.CLIENT_AUTH),
        (server, ExtendedKeyUsageOID.SERVER_AUTH),
    ):
        usage = parsed(issued).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert list(usage.value) == [purpose]
    with pytest.raises(VerificationError):
        policy().build_client_verifier().verify(parsed(server), [])
    with pytest.raises(VerificationError):
        policy().build_server_verifier(LOCALHOST).verify(parsed(client), [])


def test_common_name_is_no_identity() -> None:
    """The subject names an organisation for the eye only; a node's URI gives none."""
    issued = issue_node(CA, "530102", SPAN)
    common = parsed(issued).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert "530102" in str(common)
    assert organisation_of(uris(issued)) is None


@pytest.mark.parametrize("days", [-2, 2])
def test_validity_is_kept(days: int) -> None:
    """Before and after its span a certificate does not hold."""
    issued = issue_organisation(CA, WUHUA, SPAN)
    with pytest.raises(VerificationError):
        policy(days=days).build_client_verifier().verify(parsed(issued), [])


def test_foreign_ca_does_not_hold() -> None:
    """A certificate of another authority of the same name is refused."""
    issued = issue_organisation(make_ca(SPAN), WUHUA, SPAN)
    with pytest.raises(VerificationError):
        policy().build_client_verifier().verify(parsed(issued), [])


def test_end_certificate_issues_nothing() -> None:
    """An organisation cannot issue certificates for others."""
    middle = issue_organisation(CA, WUHUA, SPAN)
    forged = issue_organisation(middle, SCHOOL, SPAN)
    with pytest.raises(VerificationError):
        policy().build_client_verifier().verify(parsed(forged), [parsed(middle)])


def test_ca_issues_end_certificates_only() -> None:
    """Below the authority there is no second one."""
    limits = parsed(CA).extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert (limits.value.ca, limits.value.path_length) == (True, 0)


def test_key_does_not_show() -> None:
    """The printed form holds no key."""
    assert "BEGIN" not in repr(CA)
