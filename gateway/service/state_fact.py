"""Stating a fact: built once, signed once, logged, and put up for delivery, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from gateway.codec import cases, enums, fields
from gateway.domain.cases import DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import RULES, FactKind
from gateway.domain.payload_types import EVENT
from gateway.domain.recovery import NEEDS_MEMORY
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.service.parties import Matter, receivers
from gateway.service.private_parts import commitments
from gateway.service.recovery import require_memory
from gateway.v1 import event_pb2

MOST_BYTES = 256 * 1024
"""Largest fact with its private parts: it travels in a message of at most 1 MiB, whole."""

SCHEMA_VERSION = 1
"""Version of the meaning of the event bodies of this release."""


def state_fact(
    desk: Desk,
    kind: FactKind,
    body: Message,
    matter: Matter,
    *,
    parts: Sequence[VaultPart] = (),
    subject_id: str = "",
    occurred_at: datetime | None = None,
    causation_id: str = "",
    correlation_id: str = "",
    event_id: str = "",
    basis: Sequence[str] = (),
) -> str:
    """State a fact of the acting organisation and return the event's identifier.

    The event is serialised here and never again: these bytes are signed, stored and sent. It goes
    to those that `RULES` names for its kind. Raises Refusal(WRONG_ROLE) for a kind of fact that the
    organisation's role may not state, and Parked(RECOVERING) for one that it may not state now.
    """
    if kind in NEEDS_MEMORY:
        require_memory(desk)
    rule = RULES[kind]
    if desk.org.role not in rule.sources:
        raise Refusal(
            Reason.WRONG_ROLE,
            f"{desk.org} may not state {kind.name}.",
            f"It is for: {', '.join(sorted(rule.sources))}.",
        )
    sensitivity = event_pb2.SENSITIVITY_IDENTITY if parts else event_pb2.SENSITIVITY_TOKEN
    if any(part.kind == enums.wire(PartKind.REASON) for part in parts):
        sensitivity = event_pb2.SENSITIVITY_SENSITIVE
    references = matter.references or tuple(_reference(case) for case in matter.cases)
    case_ids = [reference.case_id for reference in references]
    bodies: dict[str, Any] = {kind.value: body}
    event = event_pb2.Event(
        event_id=event_id or desk.tools.ids.new(),
        type=enums.wire(kind),
        schema_version=SCHEMA_VERSION,
        source=str(desk.org),
        actor_post=desk.actor.post,
        cases=references,
        subject_id=subject_id,
        occurred_at=fields.timestamp(occurred_at or desk.now),
        recorded_at=fields.timestamp(desk.now),
        causation_id=causation_id,
        correlation_id=correlation_id or next(iter(case_ids), ""),
        legal_basis=basis or rule.articles,
        sensitivity=sensitivity,
        commitments=commitments(parts),
        **bodies,
    )
    payload = event.SerializeToString()
    if len(payload) + sum(len(part.content) for part in parts) > MOST_BYTES:
        raise Refusal(
            Reason.TOO_LARGE,
            f"The fact has more than {MOST_BYTES} bytes.",
            "State it in several, for example letters with fewer lines.",
        )
    envelope = desk.tools.signer.sign(desk.org, EVENT, payload)
    desk.work.events.append(
        desk.org,
        event_id=event.event_id,
        kind=event.type,
        source=event.source,
        case_ids=case_ids,
        logged_at=desk.now,
        envelope=envelope.SerializeToString(),
    )
    desk.work.vault.put(desk.org, event.event_id, parts)
    desk.work.outbox.deliver(desk.org, receivers(desk, rule.told, matter), event.event_id)
    return event.event_id


def _reference(case: DropoutCase) -> event_pb2.CaseReference:
    return event_pb2.CaseReference(
        case_id=case.id,
        subject_id=case.subject_id,
        episode=case.episode,
        title=cases.encode_title_ref(case.title),
    )
