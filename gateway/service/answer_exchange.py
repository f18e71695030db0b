"""An agency answers what it was asked: the fact is stated and the exchange closed, once."""

from gateway.adapter_api import HukouFinding, HukouStatement, PlatformEntry
from gateway.codec.exchanges import encode_entry, encode_statement
from gateway.domain.errors import Reason, Refusal
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.facts import FactKind
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.state_fact import state_fact
from gateway.v1.event_pb2 import CaseReference


def answer_exchange(
    desk: Desk, exchange: AgencyExchange, fact: HukouStatement | PlatformEntry
) -> str:
    """State the agency's fact to the organisation that asked; return the event's identifier.

    An exchange answered before answers with the event of that time. Raises Refusal for a statement
    with a division code that is not valid (UNKNOWN_DIVISION, RETIRED_DIVISION).
    """
    if exchange.state is ExchangeState.DONE:
        return exchange.answer_event_id
    matter = Matter(named=(exchange.asked_by,), references=_references(exchange))
    if isinstance(fact, HukouStatement):
        if fact.finding is HukouFinding.FOUND:
            desk.require_current(fact.county, "hukou.county")
        event_id = state_fact(
            desk,
            FactKind.HUKOU_ASSERTED,
            encode_statement(fact, exchange.subject_id, exchange.object_id),
            matter,
            subject_id=exchange.subject_id,
            causation_id=exchange.id,
            occurred_at=min(fact.snapshot_at, desk.now),  # an agency's clock may run ahead
            correlation_id=exchange.object_id,
        )
    else:
        event_id = state_fact(
            desk,
            FactKind.PLATFORM_ENTRY_RECORDED,
            encode_entry(fact),
            matter,
            subject_id=exchange.subject_id,
            causation_id=exchange.id,
            occurred_at=min(fact.entered_at, desk.now),
            correlation_id=exchange.object_id,
        )
    done = exchange.changed(
        desk.now, state=ExchangeState.DONE, answer_event_id=event_id, last_trouble=""
    )
    desk.work.exchanges.put(desk.org, done)
    return event_id


def taken_before(desk: Desk, record_key: str, content: bytes) -> str | None:
    """Return the event that stated this very record before, None when it is new or changed."""
    digest, _, event_id = desk.work.bookmarks.get(desk.org, _bookmark(desk, record_key)).partition(
        " "
    )
    return event_id if digest == _digest(desk, content) else None


def remember_record(desk: Desk, record_key: str, content: bytes, event_id: str) -> None:
    """Remember that the record was taken, so that its repetition or echo is known."""
    value = f"{_digest(desk, content)} {event_id}"
    desk.work.bookmarks.set(desk.org, _bookmark(desk, record_key), value)


def _bookmark(desk: Desk, record_key: str) -> str:
    return f"record {_digest(desk, record_key.encode())}"


def _digest(desk: Desk, content: bytes) -> str:
    """Keyed: an agency's own key of a record may be an identity number."""
    return desk.work.vault.fingerprint(desk.org, content).hex()


def _references(exchange: AgencyExchange) -> tuple[CaseReference, ...]:
    if not exchange.case_id:
        return ()
    reference = CaseReference(
        case_id=exchange.case_id, subject_id=exchange.subject_id, episode=exchange.episode
    )
    return (reference,)


def require_waiting(desk: Desk, exchange_id: str) -> AgencyExchange:
    """Return an exchange of this agency that may still be answered. Raises Refusal."""
    exchange = desk.work.exchanges.require(desk.org, exchange_id)
    if exchange.state is ExchangeState.REFUSED:
        raise Refusal(
            Reason.ILLEGAL_TRANSITION,
            "The exchange was refused for good.",
            "State the fact without an exchange, or wait to be asked again.",
            field="fact.exchange_id",
        )
    return exchange
