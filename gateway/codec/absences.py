"""Reports of absence on the wire."""

from collections.abc import Iterable

from gateway.codec import enums, fields
from gateway.domain.absences import Absence
from gateway.domain.school_days import AbsenceDay, AbsenceKind
from gateway.v1 import absence_pb2

_MOST_DAYS = 120


def decode_days(days: Iterable[absence_pb2.AbsenceDay]) -> list[AbsenceDay]:
    """Decode reported days. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    decoded = [
        AbsenceDay(
            fields.day(day.date, f"days[{number}].date"),
            enums.required(AbsenceKind, day.kind, f"days[{number}].kind"),
        )
        for number, day in enumerate(days)
    ]
    if not decoded:
        raise fields.missing("days")
    if len(decoded) > _MOST_DAYS:
        raise fields.invalid(
            "days", f"More than {_MOST_DAYS} days in one report.", "Report the latest ones."
        )
    return decoded


def encode_absence(absence: Absence) -> absence_pb2.Absence:
    """Encode a report."""
    return absence_pb2.Absence(
        absence_id=absence.id,
        subject_id=absence.subject_id,
        school=str(absence.school),
        class_name=absence.class_name,
        state=enums.wire(absence.state),
        counted_days=[day.isoformat() for day in absence.counted_days],
        reason=enums.wire(absence.reason),
        platform_entry_no=absence.platform_entry_no,
        case_id=absence.case_id,
        recorded_at=fields.timestamp(absence.recorded_at),
        version=absence.version,
    )
