"""Identities are checked when they come in, and shown masked."""

from datetime import date
from typing import Any

import pytest

from adapters.reference.people import child
from gateway.codec import subjects
from gateway.domain.errors import Reason, Refusal
from gateway.domain.subjects import PersonIdentity, Sex
from gateway.v1 import subject_pb2

TODAY = date(2026, 11, 23)
BEYOND = 9999


def identity(seed: int = 1, **change: Any) -> subject_pb2.PersonIdentity:
    """Return an invented child's identity as a caller sends it."""
    invented = child(seed)
    wire = subject_pb2.PersonIdentity(
        name=invented.name,
        id_number=invented.id_number,
        enrolment_number=invented.enrolment_number,
        sex=subject_pb2.SEX_FEMALE,
    )
    for name, value in change.items():
        setattr(wire, name, value)
    return wire


@pytest.mark.parametrize("seed", range(5))
def test_an_identity_goes_there_and_back(seed: int) -> None:
    """The birth date follows from the number; what is kept is what was said."""
    invented = child(seed)
    known = subjects.decode_identity(identity(seed), TODAY)
    assert known == PersonIdentity(
        invented.name,
        invented.id_number,
        invented.enrolment_number,
        invented.birth_date,
        Sex.FEMALE,
    )
    assert subjects.read_identity(subjects.encode_identity(known)) == known


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"name": ""}, Reason.MISSING_FIELD, "identity.name"),
        ({"name": "李\u202e四"}, Reason.INVALID_FIELD, "identity.name"),
        ({"id_number": "530102201203040010"}, Reason.MALFORMED_ID_NUMBER, "identity.id_number"),
        (
            {"enrolment_number": "X1"},
            Reason.MALFORMED_ENROLMENT_NUMBER,
            "identity.enrolment_number",
        ),
        ({"birth_date": "2012-13-01"}, Reason.INVALID_FIELD, "identity.birth_date"),
        ({"birth_date": "2001-01-01"}, Reason.INVALID_FIELD, "identity.birth_date"),
        (
            {"id_number": "", "enrolment_number": ""},
            Reason.MISSING_FIELD,
            "identity.birth_date",
        ),
        ({"sex": BEYOND}, Reason.INVALID_FIELD, "identity.sex"),
    ],
)
def test_an_identity_out_of_form_names_its_field(
    change: dict[str, Any], reason: Reason, field: str
) -> None:
    """Every refusal names what to mend, and repeats nothing of the child."""
    wire = identity(**change)
    with pytest.raises(Refusal) as caught:
        subjects.decode_identity(wire, TODAY)
    refusal = caught.value
    assert (refusal.reason, refusal.field) == (reason, field)
    told = refusal.message + refusal.advice + "".join(refusal.metadata.values())
    secrets = [secret for secret in (wire.name, wire.id_number, wire.enrolment_number) if secret]
    assert not any(secret in told for secret in secrets)


@pytest.mark.parametrize("phone", ["none", "０８７１", "1" * 21])
def test_a_telephone_number_is_digits(phone: str) -> None:
    """Nothing but digits, with a plus before them at most."""
    with pytest.raises(Refusal) as caught:
        subjects.decode_guardian(subject_pb2.GuardianContact(phone=phone))
    assert caught.value.field == "guardian.phone"
    assert phone not in caught.value.message


def test_a_masked_identity_tells_nobody_who_it_is() -> None:
    """Name and numbers are masked, the birth date is left out, the sex stays."""
    full = identity(1, birth_date="2014-09-01")
    masked = subjects.mask_identity(full)
    assert masked.birth_date == ""
    assert masked.sex == full.sex
    for field in ("name", "id_number", "enrolment_number"):
        shown: str = getattr(masked, field)
        assert shown
        assert getattr(full, field) not in shown
    empty = subject_pb2.PersonIdentity(name="李四")
    assert not subjects.mask_identity(empty).id_number


def test_a_masked_guardian_has_no_address() -> None:
    """Name and telephone are masked, the relation stays."""
    full = subject_pb2.GuardianContact(
        name="李国强", phone="08710000001", address="某路1号", relation="父亲"
    )
    masked = subjects.mask_guardian(full)
    assert (masked.address, masked.relation) == ("", "父亲")
    assert full.name not in masked.name
    assert full.phone not in masked.phone
    assert subjects.mask_guardian(subject_pb2.GuardianContact()) == subject_pb2.GuardianContact()
