"""Bytes whose author is not certain: set aside with their reason, never answered, no effect."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.crypto.authority import read_edition, revoke_key, sign_directory
from gateway.crypto.envelope import pae
from gateway.crypto.files import write_public
from gateway.crypto.keyring import read_private_key
from gateway.crypto.suites import key_id_of, public_bytes
from gateway.domain.errors import Reason
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import MESSAGE
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.forger import Forger
from tests.world.letter_box import LetterBox
from tests.world.running import RunningProvince
from tests.world.running_estate import EXPIRED_COUNTY, HOSTILE_COUNTY, REVOKED_COUNTY
from tests.world.waiting import eventually


def letter_from(forger: Forger, sender: OrgId) -> tuple[str, bytes]:
    """A letter to 五华区 that is right in every point: its identifier and the message."""
    letter = forger.letter(forger.title(sender), WUHUA)
    return letter.letter_id, forger.message(sender, WUHUA, [letter.carried])


def flipped(data: bytes, place: int) -> bytes:
    """The bytes with one bit of one byte changed."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_untouched_letter_is_taken(forger: Forger, wuhua_box: LetterBox) -> None:
    """The measure of all tests here: the same letter without its flaw takes effect."""
    letter_id, data = letter_from(forger, HOSTILE_COUNTY)

    item = wuhua_box.answer(HOSTILE_COUNTY, data)

    assert item.outcome == message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.has_letter(letter_id)


@pytest.mark.fault("M4")
def test_tampered_message(forger: Forger, wuhua_box: LetterBox) -> None:
    """One bit changed in the signed bytes: SIGNATURE_INVALID; the true message still goes in."""
    letter_id, data = letter_from(forger, HOSTILE_COUNTY)
    envelope = SignedEnvelope.FromString(data)
    for place in range(0, len(envelope.payload), len(envelope.payload) // 12):
        tampered = SignedEnvelope()
        tampered.CopyFrom(envelope)
        tampered.payload = flipped(envelope.payload, place)
        reason = wuhua_box.set_aside(tampered.SerializeToString())
        assert reason is Reason.SIGNATURE_INVALID

    wuhua_box.answer(HOSTILE_COUNTY, data)
    assert wuhua_box.has_letter(letter_id)


@pytest.mark.fault("M4")
def test_any_changed_byte_is_noticed(forger: Forger, wuhua_box: LetterBox) -> None:
    """Wherever a bit of the item changes, it is set aside."""
    _, data = letter_from(forger, HOSTILE_COUNTY)
    for place in range(1, len(data), len(data) // 24):
        assert wuhua_box.set_aside(flipped(data, place)) in {
            Reason.SIGNATURE_INVALID,
            Reason.ENVELOPE_MALFORMED,
            Reason.PAYLOAD_TYPE_UNEXPECTED,
            Reason.KEY_UNKNOWN,
        }


@pytest.mark.fault("M8")
@pytest.mark.parametrize("data", [b"\xff" * 40, b"", b"\x0a\x00", bytes(2000)])
def test_bytes_that_are_no_envelope(wuhua_box: LetterBox, data: bytes) -> None:
    """Rubbish in the letter-box: ENVELOPE_MALFORMED."""
    assert wuhua_box.set_aside(data) is Reason.ENVELOPE_MALFORMED


def test_event_is_no_message(forger: Forger, wuhua_box: LetterBox) -> None:
    """A good event put into the letter-box as it is: PAYLOAD_TYPE_UNEXPECTED."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    data = letter.carried.event.SerializeToString()
    assert wuhua_box.set_aside(data) is Reason.PAYLOAD_TYPE_UNEXPECTED


@pytest.mark.fault("M5")
def test_key_that_nobody_listed(forger: Forger, wuhua_box: LetterBox) -> None:
    """A good signature by a key that is not in the directory: KEY_UNKNOWN."""
    _, data = letter_from(forger, HOSTILE_COUNTY)
    envelope = SignedEnvelope.FromString(data)
    stranger = Ed25519PrivateKey.generate()
    envelope.signatures[0].key_id = key_id_of(public_bytes(stranger))
    envelope.signatures[0].value = stranger.sign(pae(MESSAGE, envelope.payload))
    assert wuhua_box.set_aside(envelope.SerializeToString()) is Reason.KEY_UNKNOWN


@pytest.mark.fault("M5")
def test_key_for_another_purpose(forger: Forger, wuhua_box: LetterBox) -> None:
    """A signature under a sealing key: KEY_WRONG_PURPOSE."""
    _, data = letter_from(forger, HOSTILE_COUNTY)
    key = forger.directory.current_key(HOSTILE_COUNTY, KeyPurpose.SEAL, forger.world.clock.now())
    assert key is not None
    envelope = SignedEnvelope.FromString(data)
    signature = Signature(key_id=key.key_id, value=envelope.signatures[0].value)
    del envelope.signatures[:]
    envelope.signatures.append(signature)
    assert wuhua_box.set_aside(envelope.SerializeToString()) is Reason.KEY_WRONG_PURPOSE


@pytest.mark.fault("M5")
def test_key_of_another_organisation(forger: Forger, wuhua_box: LetterBox) -> None:
    """The signature of one county under the name of another's key: SIGNATURE_INVALID."""
    _, data = letter_from(forger, HOSTILE_COUNTY)
    key = forger.directory.current_key(ZHENXIONG, KeyPurpose.SIGN, forger.world.clock.now())
    assert key is not None
    envelope = SignedEnvelope.FromString(data)
    envelope.signatures[0].key_id = key.key_id
    assert wuhua_box.set_aside(envelope.SerializeToString()) is Reason.SIGNATURE_INVALID


@pytest.mark.fault("M5")
def test_forged_sender(forger: Forger, wuhua_box: LetterBox) -> None:
    """A message that names another county as its sender: SIGNER_MISMATCH."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    data = forger.message(ZHENXIONG, WUHUA, [letter.carried], signer=HOSTILE_COUNTY)
    assert wuhua_box.set_aside(data) is Reason.SIGNER_MISMATCH


@pytest.mark.fault("M5")
def test_message_for_another(forger: Forger, wuhua_box: LetterBox) -> None:
    """A message to 镇雄 put into the letter-box of 五华区: WRONG_RECEIVER."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), ZHENXIONG)
    data = forger.message(HOSTILE_COUNTY, ZHENXIONG, [letter.carried])
    assert wuhua_box.set_aside(data) is Reason.WRONG_RECEIVER


@pytest.mark.fault("M5")
def test_revoked_key(world: RunningProvince, forger: Forger, wuhua_box: LetterBox) -> None:
    """A key is good until its revocation reaches the node: then KEY_REVOKED. What was taken
    before stays.
    """
    letter_id, data = letter_from(forger, REVOKED_COUNTY)
    wuhua_box.answer(REVOKED_COUNTY, data)
    _, late = letter_from(forger, REVOKED_COUNTY)
    key = forger.directory.current_key(REVOKED_COUNTY, KeyPurpose.SIGN, world.clock.now())
    assert key is not None
    now = world.clock.now()
    authority = read_private_key(world.directory / "authority.key.pem")
    edition = revoke_key(
        world.directory / "directory.bin", authority, key.key_id, at=now, reason="lost", now=now
    )
    world.knows_edition(edition.version)

    assert wuhua_box.set_aside(late) is Reason.KEY_REVOKED
    assert wuhua_box.has_letter(letter_id)


@pytest.mark.fault("M5")
def test_expired_key(world: RunningProvince, forger: Forger, wuhua_box: LetterBox) -> None:
    """A key past its last day: KEY_EXPIRED."""
    letter_id, data = letter_from(forger, EXPIRED_COUNTY)
    now = world.clock.now()
    path = world.directory / "directory.bin"
    authority = read_private_key(world.directory / "authority.key.pem")
    edition = read_edition(path, authority)
    ended = replace(
        edition,
        version=edition.version + 1,
        issued_at=now,
        keys=tuple(
            replace(key, not_after=now - timedelta(seconds=1))
            if key.owner == EXPIRED_COUNTY
            else key
            for key in edition.keys
        ),
    )
    write_public(path, sign_directory(ended, authority))
    world.knows_edition(ended.version)

    assert wuhua_box.set_aside(data) is Reason.KEY_EXPIRED
    assert not wuhua_box.has_letter(letter_id)


def test_quarantine_is_said_aloud(
    forger: Forger, wuhua_box: LetterBox, logs: list[dict[str, object]]
) -> None:
    """What is set aside leaves an alarm in the log, with its reason and organisation only."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    data = forger.message(ZHENXIONG, WUHUA, [letter.carried], signer=HOSTILE_COUNTY)
    wuhua_box.set_aside(data)

    def alarm() -> dict[str, object] | None:
        return next((line for line in logs if line["event"] == "message.quarantined"), None)

    assert eventually(alarm, "the alarm") == {
        "event": "message.quarantined",
        "log_level": "error",
        "reason": "SIGNER_MISMATCH",
        "org": str(WUHUA),
    }
