"""The assistance platform (政府救助平台): entries in its dropout-control port.

Here: the adapter that makes and reads entries of that port (控辍保学服务事项端口) by SQL, its
mapping, and the check that no identity goes in (art. 4, 7, 8). Not here: what is entered when; nor
the platform itself.
"""

from collections.abc import Mapping

from adapters.assistance_platform.adapter import AssistancePlatformAdapter
from adapters.assistance_platform.platform import Platform
from adapters.assistance_platform.platform_mapping import PlatformMapping
from adapters.connectors.settings import SqlSettings, read_mapping
from adapters.connectors.sql import SqlConnector
from gateway.adapter_api import Adapter

__all__ = ["create"]


def create(settings: Mapping[str, str]) -> Adapter:
    """Make the adapter from its settings (README.md lists them).

    Raises:
        OSError: the mapping file cannot be read.
        ValueError: a setting or the mapping is wrong; the text repeats no value.
    """
    wanted = SqlSettings.model_validate(dict(settings))
    mapping = read_mapping(PlatformMapping, wanted.mapping)
    connector = SqlConnector(wanted.url, read_only=False)
    return AssistancePlatformAdapter(Platform(connector, mapping), wanted)
