"""All that an adapter may see of the gateway: version 1 of a small, typed contract.

Here: what an adapter is asked (`Exchange`), its three outcomes (`Done`, `Refused`, `TryLater`),
the facts it may state (`HukouStatement`, `PlatformEntry`), changes it found by itself (`Change`),
and the `Adapter` protocol. Not here: organisations, keys, the bus, the store - the gateway signs,
sends and remembers on the adapter's behalf. An adapter is found by the entry point group
`gateway.adapters`; the entry is a function `create(settings) -> Adapter`.
"""

from gateway.adapter_api.adapter import Adapter, Description, Health
from gateway.adapter_api.exchanges import Done, Exchange, Outcome, Person, Refused, TryLater
from gateway.adapter_api.facts import (
    Change,
    Changes,
    Fact,
    HukouFinding,
    HukouStatement,
    Matter,
    PlatformEntry,
)

API_VERSION = "1.0"

__all__ = [
    "API_VERSION",
    "Adapter",
    "Change",
    "Changes",
    "Description",
    "Done",
    "Exchange",
    "Fact",
    "Health",
    "HukouFinding",
    "HukouStatement",
    "Matter",
    "Outcome",
    "Person",
    "PlatformEntry",
    "Refused",
    "TryLater",
]
