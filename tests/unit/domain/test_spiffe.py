"""Identity in certificates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.organisations import OrgId
from gateway.domain.spiffe import broker_uri, node_uri, organisation_of, organisation_uri


@pytest.mark.parametrize("code", ["53/edu", "530102/edu", "530627001/twn", "530102/sch/3153000123"])
def test_organisation_comes_back(code: str) -> None:
    """The name written for an organisation is read as that organisation."""
    org = OrgId.parse(code)
    assert organisation_uri(org) == f"spiffe://dropout-gateway/org/{code}"
    assert organisation_of([organisation_uri(org)]) == org


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["spiffe://dropout-gateway/org/530102/edu", "spiffe://dropout-gateway/org/530627/edu"],
        ["spiffe://dropout-gateway/org/530102/edu", "https://example.org"],
        ["spiffe://dropout-gateway/org/530102/edu"] * 2,
        ["spiffe://elsewhere/org/530102/edu"],
        ["spiffe://dropout-gateway.example/org/530102/edu"],
        ["https://dropout-gateway/org/530102/edu"],
        ["SPIFFE://dropout-gateway/org/530102/edu"],
        ["spiffe://dropout-gateway/org/530102/EDU"],
        ["spiffe://dropout-gateway/org/530102/edu/"],
        ["spiffe://dropout-gateway/org/530102/edu?x=1"],
        ["spiffe://dropout-gateway/org/530102%2Fedu"],
        ["spiffe://dropout-gateway/org//530102/edu"],
        ["spiffe://dropout-gateway/org/ 530102/edu"],
        ["spiffe://dropout-gateway/org/530102000000/edu"],
        ["spiffe://dropout-gateway/org/"],
        [node_uri("wuhua")],
        [broker_uri()],
    ],
)
def test_anything_else_is_nobody(uris: list[str]) -> None:
    """No name, two names, a foreign domain or another spelling give no identity."""
    assert organisation_of(uris) is None


@given(st.text("0123456789/edusch. %\u0660\n", max_size=24))
def test_an_organisation_has_one_spelling(code: str) -> None:
    """Whatever is read as an organisation is written as it was read."""
    uri = f"spiffe://dropout-gateway/org/{code}"
    org = organisation_of([uri])
    assert org is None or organisation_uri(org) == uri
