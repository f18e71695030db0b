"""Exchanges with agencies on the wire, and the adapter's facts."""

from gateway import adapter_api
from gateway.adapter_api import HukouStatement, PlatformEntry
from gateway.codec import enums, fields
from gateway.domain.exchanges import AgencyExchange
from gateway.domain.subjects import HukouFinding
from gateway.v1 import agency_pb2, subject_pb2

_MATTERS: dict[int, adapter_api.Matter] = {
    agency_pb2.PlatformMatter.Value(f"PLATFORM_MATTER_{matter.name}"): matter
    for matter in adapter_api.Matter
}


def encode_exchange(exchange: AgencyExchange) -> agency_pb2.Exchange:
    """Encode an exchange as the agency sees it."""
    return agency_pb2.Exchange(
        exchange_id=exchange.id,
        kind=exchange.kind,
        state=enums.wire(exchange.state),
        asked_by=str(exchange.asked_by),
        asked_at=fields.timestamp(exchange.asked_at),
        attempts=exchange.attempts,
        answer_event_id=exchange.answer_event_id,
        last_trouble=exchange.last_trouble,
        case_id=exchange.case_id,
    )


def encode_statement(
    statement: HukouStatement, subject_id: str, query_id: str
) -> subject_pb2.HukouAsserted:
    """Encode an adapter's statement on a household registration."""
    return subject_pb2.HukouAsserted(
        subject_id=subject_id,
        finding=subject_pb2.HukouFinding.Value(f"HUKOU_FINDING_{statement.finding.name}"),
        county=statement.county,
        township=statement.township,
        since=statement.since.isoformat() if statement.since else "",
        snapshot_at=fields.timestamp(statement.snapshot_at),
        query_id=query_id,
    )


def encode_entry(entry: PlatformEntry) -> agency_pb2.PlatformEntryRecorded:
    """Encode an adapter's platform entry."""
    return agency_pb2.PlatformEntryRecorded(
        matter=agency_pb2.PlatformMatter.Value(f"PLATFORM_MATTER_{entry.matter.name}"),
        entry_no=entry.entry_no,
        object_id=entry.object_id,
        entered_at=fields.timestamp(entry.entered_at),
    )


def decode_statement(wire: subject_pb2.HukouAsserted) -> HukouStatement:
    """Decode a statement that an agency pushes. Raises Refusal."""
    finding = enums.required(HukouFinding, wire.finding, "hukou.finding")
    since = fields.optional_day(wire.since, "hukou.since")
    if finding is HukouFinding.FOUND and not wire.county:
        raise fields.missing("hukou.county")
    return HukouStatement(
        finding=adapter_api.HukouFinding(finding.value),
        snapshot_at=fields.moment(wire.snapshot_at, "hukou.snapshot_at"),
        county=fields.digits(wire.county, "hukou.county", 6),
        township=fields.digits(wire.township, "hukou.township", 9),
        since=fields.day(since, "hukou.since") if since else None,
    )


def decode_entry(wire: agency_pb2.PlatformEntryRecorded) -> PlatformEntry:
    """Decode a platform entry that an agency pushes. Raises Refusal."""
    if not wire.matter:
        raise fields.missing("platform_entry.matter")
    matter = _MATTERS.get(wire.matter)
    if matter is None:
        raise fields.invalid(
            "platform_entry.matter", "There is no such matter.", "Choose one of PlatformMatter."
        )
    return PlatformEntry(
        matter=matter,
        entry_no=fields.text(wire.entry_no, "platform_entry.entry_no", 60, required=True),
        object_id=fields.uuid(wire.object_id, "platform_entry.object_id"),
        entered_at=fields.moment(wire.entered_at, "platform_entry.entered_at"),
    )
