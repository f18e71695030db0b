"""Children on the wire: identity, guardian, household and enrolment."""

import re
from datetime import date

from gateway.codec import enums, fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.identifiers import (
    EnrolmentNumber,
    IdNumber,
    mask_enrolment_number,
    mask_id_number,
    mask_name,
    mask_phone,
)
from gateway.domain.organisations import OrgId
from gateway.domain.subjects import (
    EnrolmentAssertion,
    GuardianContact,
    HukouAssertion,
    HukouFinding,
    PersonIdentity,
    Sex,
    Subject,
)
from gateway.v1 import subject_pb2


def decode_identity(wire: subject_pb2.PersonIdentity, today: date) -> PersonIdentity:
    """Decode and check an identity as a caller sends it.

    Raises Refusal: MISSING_FIELD, INVALID_FIELD, MALFORMED_ID_NUMBER, MALFORMED_ENROLMENT_NUMBER.
    """
    name = fields.text(wire.name, "identity.name", 60, required=True)
    id_number, birth = "", None
    try:
        if wire.id_number:
            number = IdNumber.parse(wire.id_number, not_after=today)
            id_number, birth = number.value, number.birth_date
    except Refusal as refusal:
        refusal.field = "identity.id_number"
        raise
    try:
        enrolment = (
            EnrolmentNumber.parse(wire.enrolment_number, not_after=today).value
            if wire.enrolment_number
            else ""
        )
    except Refusal as refusal:
        refusal.field = "identity.enrolment_number"
        raise
    if wire.birth_date:
        stated = fields.day(wire.birth_date, "identity.birth_date")
        if birth is not None and stated != birth:
            raise Refusal(
                Reason.INVALID_FIELD,
                "The birth date differs from that in the identity number.",
                "Leave the birth date out, or correct the identity number.",
                field="identity.birth_date",
            )
        birth = stated
    if birth is None:
        raise fields.missing("identity.birth_date")
    sex = enums.optional(Sex, wire.sex, "identity.sex")
    return PersonIdentity(name, id_number, enrolment, birth, sex)


def read_identity(wire: subject_pb2.PersonIdentity) -> PersonIdentity:
    """Read an identity from the vault, where it was checked before."""
    return PersonIdentity(
        wire.name,
        wire.id_number,
        wire.enrolment_number,
        date.fromisoformat(wire.birth_date) if wire.birth_date else None,
        enums.maybe(Sex, wire.sex),
    )


def encode_identity(identity: PersonIdentity) -> subject_pb2.PersonIdentity:
    """Encode an identity in full."""
    return subject_pb2.PersonIdentity(
        name=identity.name,
        id_number=identity.id_number,
        enrolment_number=identity.enrolment_number,
        birth_date=identity.birth_date.isoformat() if identity.birth_date else "",
        sex=enums.wire(identity.sex),
    )


def mask_identity(wire: subject_pb2.PersonIdentity) -> subject_pb2.PersonIdentity:
    """Return the identity with name and numbers masked and the birth date left out."""
    return subject_pb2.PersonIdentity(
        name=mask_name(wire.name),
        id_number=mask_id_number(wire.id_number) if wire.id_number else "",
        enrolment_number=(
            mask_enrolment_number(wire.enrolment_number) if wire.enrolment_number else ""
        ),
        sex=wire.sex,
    )


def decode_guardian(wire: subject_pb2.GuardianContact) -> GuardianContact:
    """Decode and check a guardian. Raises Refusal(INVALID_FIELD)."""
    phone = fields.text(wire.phone, "guardian.phone", 20)
    if phone and not re.fullmatch(r"\+?[0-9]+(?:[- ][0-9]+)*", phone):
        raise fields.invalid(
            "guardian.phone", "The telephone number is malformed.", "Use digits, parted by hyphens."
        )
    return GuardianContact(
        fields.text(wire.name, "guardian.name", 60),
        phone,
        fields.text(wire.address, "guardian.address", 200),
        fields.text(wire.relation, "guardian.relation", 20),
    )


def read_guardian(wire: subject_pb2.GuardianContact) -> GuardianContact:
    """Read a guardian from a private part, where it was checked before."""
    return GuardianContact(wire.name, wire.phone, wire.address, wire.relation)


def encode_guardian(guardian: GuardianContact) -> subject_pb2.GuardianContact:
    """Encode a guardian in full."""
    return subject_pb2.GuardianContact(
        name=guardian.name,
        phone=guardian.phone,
        address=guardian.address,
        relation=guardian.relation,
    )


def mask_guardian(wire: subject_pb2.GuardianContact) -> subject_pb2.GuardianContact:
    """Return the guardian with name and telephone masked and without address."""
    return subject_pb2.GuardianContact(
        name=mask_name(wire.name) if wire.name else "",
        phone=mask_phone(wire.phone) if wire.phone else "",
        relation=wire.relation,
    )


def encode_hukou(subject_id: str, hukou: HukouAssertion | None) -> subject_pb2.HukouAsserted | None:
    """Encode a statement on the household registration."""
    if hukou is None:
        return None
    return subject_pb2.HukouAsserted(
        subject_id=subject_id,
        finding=enums.wire(hukou.finding),
        county=hukou.county,
        township=hukou.township,
        since=hukou.since,
        snapshot_at=fields.timestamp(hukou.snapshot_at),
        query_id=hukou.query_id,
        source=str(hukou.source),
    )


def decode_hukou(wire: subject_pb2.HukouAsserted, source: OrgId) -> HukouAssertion:
    """Decode a statement that `source` made. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    finding = enums.required(HukouFinding, wire.finding, "hukou.finding")
    county = fields.digits(wire.county, "hukou.county", 6)
    if finding is HukouFinding.FOUND and not county:
        raise fields.missing("hukou.county")
    return HukouAssertion(
        finding=finding,
        county=county,
        township=fields.digits(wire.township, "hukou.township", 9),
        since=fields.optional_day(wire.since, "hukou.since"),
        snapshot_at=fields.moment(wire.snapshot_at, "hukou.snapshot_at"),
        source=source,
        query_id=wire.query_id,
    )


def encode_enrolment(
    subject_id: str, enrolment: EnrolmentAssertion | None
) -> subject_pb2.EnrolmentAsserted | None:
    """Encode a statement on the enrolment."""
    if enrolment is None:
        return None
    return subject_pb2.EnrolmentAsserted(
        subject_id=subject_id,
        county=enrolment.county,
        school=str(enrolment.school),
        grade=enrolment.grade,
        since=enrolment.since,
        source=str(enrolment.source),
    )


def encode_subject(subject: Subject) -> subject_pb2.Subject:
    """Encode a child's record without identity."""
    return subject_pb2.Subject(
        subject_id=subject.id,
        hukou=encode_hukou(subject.id, subject.current_hukou),
        enrolment=encode_enrolment(subject.id, subject.current_enrolment),
        version=subject.version,
    )
