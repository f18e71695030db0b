"""The protocol that an adapter fulfils."""

from dataclasses import dataclass
from typing import Protocol

from gateway.adapter_api.exchanges import Exchange, Outcome
from gateway.adapter_api.facts import Changes


@dataclass(frozen=True)
class Description:
    """What an adapter is: its name, the role it serves (`psb`, `rrb`, ...), the API version it was
    written for, the kinds of exchange it carries out, and whether it reports changes.
    """

    name: str
    role: str
    api_version: str
    kinds: tuple[str, ...]
    reports_changes: bool


@dataclass(frozen=True)
class Health:
    """Whether the agency's system answers; `detail` is one sentence without personal data."""

    ok: bool
    detail: str


class Adapter(Protocol):
    """Translates between the gateway's words and one agency's records.

    Methods are called one at a time on a thread of the adapter's own; they may block. What they
    raise is treated as TryLater and never shown to others.
    """

    def describe(self) -> Description:
        """Return what this adapter is; constant for its life."""
        ...

    def health(self) -> Health:
        """Ask the agency's system whether it answers."""
        ...

    def handle(self, exchange: Exchange) -> Outcome:
        """Carry out one exchange; idempotent on `exchange.exchange_id`."""
        ...

    def changes(self, cursor: str) -> Changes:
        """Return changes after the cursor (empty string: from the beginning), oldest first."""
        ...

    def close(self) -> None:
        """Release what the adapter holds; called once, last."""
        ...
