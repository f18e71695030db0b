"""Cases, whereabouts and titles on the wire."""

from gateway.codec import enums, fields
from gateway.domain.cases import (
    CaseState,
    DropoutCase,
    DropoutReason,
    Whereabouts,
    WhereaboutsKind,
)
from gateway.domain.organisations import OrgId
from gateway.domain.titles import Epoch, Title, TitleCause, TitleRef
from gateway.v1 import case_pb2, title_pb2


def encode_epoch(epoch: Epoch) -> title_pb2.Epoch:
    """Encode an epoch."""
    return title_pb2.Epoch(term=epoch.term, number=epoch.number)


def encode_title_ref(ref: TitleRef | None) -> title_pb2.TitleReference | None:
    """Encode a reference to a title."""
    if ref is None:
        return None
    return title_pb2.TitleReference(
        epoch=encode_epoch(ref.epoch), title_hash=bytes.fromhex(ref.hash), holder=str(ref.holder)
    )


def decode_title_ref(wire: title_pb2.TitleReference) -> TitleRef:
    """Decode a reference to a title. Raises Refusal for a malformed holder."""
    return TitleRef(
        Epoch(wire.epoch.term, wire.epoch.number),
        wire.title_hash.hex(),
        fields.organisation(wire.holder, "title.holder"),
    )


def encode_title(title: Title) -> title_pb2.Title:
    """Encode a title; `made_at` is set by the maker."""
    return title_pb2.Title(
        case_id=title.case_id,
        epoch=encode_epoch(title.epoch),
        holder=str(title.holder),
        maker=str(title.maker),
        previous_title_hash=bytes.fromhex(title.previous_hash),
        cause=enums.wire(title.cause),
        cause_event_id=title.cause_event_id,
    )


def decode_title(wire: title_pb2.Title, digest: str) -> Title:
    """Decode a title whose payload bytes have that hex digest. Raises Refusal."""
    return Title(
        case_id=fields.uuid(wire.case_id, "title.case_id"),
        epoch=Epoch(wire.epoch.term, wire.epoch.number),
        holder=fields.organisation(wire.holder, "title.holder"),
        maker=fields.organisation(wire.maker, "title.maker"),
        previous_hash=wire.previous_title_hash.hex(),
        cause=enums.required(TitleCause, wire.cause, "title.cause"),
        cause_event_id=wire.cause_event_id,
        hash=digest,
    )


def encode_whereabouts(whereabouts: Whereabouts | None) -> case_pb2.Whereabouts | None:
    """Encode whereabouts."""
    if whereabouts is None:
        return None
    return case_pb2.Whereabouts(
        kind=enums.wire(whereabouts.kind),
        division=whereabouts.division,
        basis=whereabouts.basis,
        source=str(whereabouts.source or ""),
        recorded_at=fields.timestamp(whereabouts.recorded_at),
    )


def decode_whereabouts(wire: case_pb2.Whereabouts) -> Whereabouts:
    """Decode whereabouts. Raises Refusal for a missing kind or an overlong basis."""
    return Whereabouts(
        kind=enums.required(WhereaboutsKind, wire.kind, "whereabouts.kind"),
        division=fields.digits(wire.division, "whereabouts.division", 12),
        basis=fields.text(wire.basis, "whereabouts.basis", 100),
        source=OrgId.parse(wire.source) if wire.source else None,
        recorded_at=(
            fields.moment(wire.recorded_at, "whereabouts.recorded_at")
            if wire.HasField("recorded_at")
            else None
        ),
    )


def decode_reason(value: int) -> DropoutReason:
    """Decode a dropout reason; unspecified means unknown."""
    return enums.maybe(DropoutReason, value) or DropoutReason.UNKNOWN


def encode_case(case: DropoutCase, viewer: OrgId | None) -> case_pb2.DropoutCase:
    """Encode a case as the viewer sees it; as None sees it who may act on nothing."""
    return case_pb2.DropoutCase(
        case_id=case.id,
        subject_id=case.subject_id,
        state=enums.wire(case.state),
        episode=case.episode,
        holder=str(case.holder or ""),
        title=encode_title_ref(case.title),
        may_act=case.holder is not None and case.holder == viewer,
        enrolment_county=case.enrolment_county,
        school=str(case.school),
        hukou_county=case.hukou_county,
        whereabouts=encode_whereabouts(case.whereabouts),
        jurisdiction_row=case.jurisdiction_row,
        responsible=str(case.responsible or ""),
        responsible_since_event_id=case.responsible_since,
        reason=enums.wire(case.reason),
        missing_recipients=(case.missing_recipients if case.state is CaseState.SUSPECTED else ()),
        open_letter_id=case.offer.letter_id if case.offer else "",
        order_id=case.order_id,
        placement_id=case.placement_id,
        retrieval_body=str(case.retrieval_body or ""),
        version=case.version,
        opened_at=fields.timestamp(case.opened_at),
        changed_at=fields.timestamp(case.changed_at),
        first_absent_day=case.first_absent_day,
    )
