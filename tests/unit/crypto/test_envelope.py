"""The form of signed envelopes."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.envelope import form_fault, pae, parse_envelope
from gateway.domain.errors import Reason, Refusal
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope


def well_formed() -> SignedEnvelope:
    """An envelope of the right form; its signature is worth nothing."""
    return SignedEnvelope(
        payload=b"p", payload_type="t", signatures=[Signature(key_id="a" * 64, value=b"s")]
    )


def test_published_vector() -> None:
    """The example of the DSSE specification (protocol.md) comes out byte for byte."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_lengths_count_bytes() -> None:
    """A payload of two Chinese characters has six bytes."""
    assert pae("t", "函件".encode()) == b"DSSEv1 1 t 6 " + "函件".encode()
    assert pae("t", b"") == b"DSSEv1 1 t 0 "


@pytest.mark.parametrize("kind", ["", "application/函", "a b", "a\n", "a\0", "x" * 129, "é"])
def test_type_beyond_visible_ascii_is_refused(kind: str) -> None:
    """A type whose length could be counted in two ways is neither signed nor accepted."""
    with pytest.raises(ValueError, match="ASCII"):
        pae(kind, b"payload")
    envelope = well_formed()
    envelope.payload_type = kind
    assert form_fault(envelope)


@given(st.binary(), st.binary(), st.text("ab 1", min_size=1), st.text("ab 1", min_size=1))
def test_encoding_is_unambiguous(one: bytes, other: bytes, kind: str, other_kind: str) -> None:
    """Two different (type, payload) never have one encoding."""
    kind, other_kind = kind.replace(" ", "-"), other_kind.replace(" ", "-")
    same = (kind, one) == (other_kind, other)
    assert (pae(kind, one) == pae(other_kind, other)) is same


def test_well_formed_envelope_parses() -> None:
    """What was serialised is read back whole."""
    assert parse_envelope(well_formed().SerializeToString()) == well_formed()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda e: e.ClearField("payload"), "no payload"),
        (lambda e: e.ClearField("payload_type"), "payload type"),
        (lambda e: e.ClearField("signatures"), "signatures"),
        (lambda e: e.signatures.add(key_id="a" * 64, value=b"t"), "twice"),
        (lambda e: e.signatures.add(key_id="A" * 64, value=b"t"), "hexadecimal"),
        (lambda e: e.signatures.add(key_id="b" * 63, value=b"t"), "hexadecimal"),
        (lambda e: e.signatures.add(key_id="b" * 64), "bytes"),
        (lambda e: e.signatures.add(key_id="b" * 64, value=b"x" * 8193), "bytes"),
        (
            lambda e: e.signatures.extend(Signature(key_id=c * 64, value=b"s") for c in "bcde"),
            "signatures",
        ),
    ],
)
def test_form_is_checked(spoil: Callable[[SignedEnvelope], object], told: str) -> None:
    """Each fault of form is refused and named."""
    envelope = well_formed()
    spoil(envelope)
    with pytest.raises(Refusal, match=told) as caught:
        parse_envelope(envelope.SerializeToString())
    assert caught.value.reason is Reason.ENVELOPE_MALFORMED


def test_empty_bytes_are_no_envelope() -> None:
    """Protobuf reads no bytes as a message; the gateway does not."""
    with pytest.raises(Refusal, match="no payload"):
        parse_envelope(b"")


def test_size_is_bounded() -> None:
    """Bytes beyond the limit are refused before anything is read."""
    data = well_formed().SerializeToString()
    assert parse_envelope(data, limit=len(data)) == well_formed()
    with pytest.raises(Refusal, match="more than"):
        parse_envelope(data, limit=len(data) - 1)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_well_formed(data: bytes) -> None:
    """Whatever arrives ends as a well formed envelope or as that one refusal."""
    try:
        fault, reason = form_fault(parse_envelope(data)), None
    except Refusal as refusal:
        fault, reason = None, refusal.reason
    assert fault is None
    assert reason in {None, Reason.ENVELOPE_MALFORMED}
