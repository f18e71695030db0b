"""What becomes of an exchange once the adapter has given its outcome."""

from datetime import timedelta

from gateway.adapter_api import Done, Fact, Outcome, Refused, TryLater
from gateway.domain.errors import Reason, Refusal
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.log_events import LogEvent, log
from gateway.ports.store import PartFailed
from gateway.service.answer_exchange import answer_exchange
from gateway.service.desk import Desk

_LONGEST_PAUSE = timedelta(minutes=5)
_WRONG_ANSWERS = {Reason.UNKNOWN_DIVISION, Reason.RETIRED_DIVISION, Reason.TOO_LARGE}
"""What is wrong with an agency's answer itself. After any other refusal the answer is good, the
agency has done its part, and it is stated later."""


def settle_exchange(desk: Desk, exchange_id: str, outcome: Outcome) -> None:
    """Keep what came of an exchange, unless it was answered meanwhile."""
    exchange = desk.work.exchanges.require(desk.org, exchange_id)
    if exchange.state is not ExchangeState.WAITING:
        return
    left = _stated(desk, exchange, outcome.fact) if isinstance(outcome, Done) else outcome
    if isinstance(left, TryLater):
        _try_later(desk, exchange, left)
    elif isinstance(left, Refused):
        _refuse(desk, exchange, left)


def _stated(desk: Desk, exchange: AgencyExchange, fact: Fact) -> Refused | TryLater | None:
    """State the fact as the agency; where that is not possible, return what becomes of it."""
    try:
        with desk.work.attempt():
            answer_exchange(desk, exchange, fact)
    except Refusal as refusal:
        reason = f"{refusal.reason}: {refusal.message}"
        return Refused(reason) if refusal.reason in _WRONG_ANSWERS else TryLater(reason)
    except PartFailed as fault:
        return TryLater(str(fault))
    log(LogEvent.ADAPTER_DONE, kind=exchange.kind, exchange=exchange.id)
    return None


def _refuse(desk: Desk, exchange: AgencyExchange, outcome: Refused) -> None:
    refused = exchange.changed(
        desk.now,
        state=ExchangeState.REFUSED,
        attempts=exchange.attempts + 1,
        last_trouble=outcome.reason,
    )
    desk.work.exchanges.put(desk.org, refused)
    log(LogEvent.ADAPTER_REFUSED, level="warning", exchange=exchange.id)


def _try_later(desk: Desk, exchange: AgencyExchange, outcome: TryLater) -> None:
    doublings: int = 2 ** min(exchange.attempts, 8)
    pause = min(timedelta(seconds=outcome.after_seconds) * doublings, _LONGEST_PAUSE)
    later = exchange.changed(
        desk.now,
        attempts=exchange.attempts + 1,
        due_at=desk.now + pause,
        last_trouble=outcome.reason,
    )
    desk.work.exchanges.put(desk.org, later)
    log(LogEvent.ADAPTER_TRY_LATER, level="warning", exchange=exchange.id)
