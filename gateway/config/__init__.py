"""The one place that reads settings: a TOML file for each node and its twins in the environment.

Here: the sections and their rules, reading, and the sentences for what is wrong. Not here: opening
anything that a setting names; `gateway config check` does that.
"""

from gateway.config.reading import ENV_PREFIX, ConfigFault, load_config
from gateway.config.sections import (
    BundledBroker,
    BundledFollower,
    BundledNode,
    BusSection,
    DirectorySection,
    HomeOrganisation,
    NodeConfig,
    NodeSection,
    PolicySection,
    StoreSection,
    TlsSection,
)

__all__ = [
    "ENV_PREFIX",
    "BundledBroker",
    "BundledFollower",
    "BundledNode",
    "BusSection",
    "ConfigFault",
    "DirectorySection",
    "HomeOrganisation",
    "NodeConfig",
    "NodeSection",
    "PolicySection",
    "StoreSection",
    "TlsSection",
    "load_config",
]
