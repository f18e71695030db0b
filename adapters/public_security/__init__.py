"""Public security (公安): where a child's household registration (户籍) is now, and when it moves.

Here: the adapter over a household register reached by SQL, its mapping, and how rows become a
statement (art. 5.9, 8). Not here: who asks and why, signing, routing; nor the register itself.
"""

from collections.abc import Mapping

from adapters.connectors.settings import read_mapping
from adapters.connectors.sql import SqlConnector
from adapters.public_security.adapter import HouseholdRegisterAdapter
from adapters.public_security.register import HouseholdRegister
from adapters.public_security.register_mapping import PublicSecuritySettings, RegisterMapping
from gateway.adapter_api import Adapter

__all__ = ["create"]


def create(settings: Mapping[str, str]) -> Adapter:
    """Make the adapter from its settings (README.md lists them).

    Raises:
        OSError: the mapping file cannot be read.
        ValueError: a setting or the mapping is wrong; the text repeats no value.
    """
    wanted = PublicSecuritySettings.model_validate(dict(settings))
    mapping = read_mapping(RegisterMapping, wanted.mapping)
    connector = SqlConnector(wanted.url, read_only=True)
    return HouseholdRegisterAdapter(HouseholdRegister(connector, mapping), wanted)
