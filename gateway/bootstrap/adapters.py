"""Finding the adapters of the organisations at home, and the hosts that run them."""

from importlib.metadata import entry_points

from gateway.adapter_api import API_VERSION, Adapter
from gateway.bootstrap.faults import NodeFault
from gateway.config import NodeConfig
from gateway.domain.organisations import OrgId
from gateway.ports.store import Store
from gateway.service.adapter_host import AdapterHost
from gateway.service.desk import Tools


def adapter_hosts(config: NodeConfig, store: Store, tools: Tools) -> list[AdapterHost]:
    """Make a host for every organisation that has an adapter. Raises NodeFault."""
    hosts = []
    for home in config.organisations:
        if home.adapter:
            org = OrgId.parse(home.organisation)
            adapter = load_adapter(home.adapter, home.settings)
            role = adapter.describe().role
            if role != org.role.value:
                raise NodeFault(
                    f"The adapter {home.adapter} serves the role {role}, not {org}. "
                    "Configure it for an organisation of its role."
                )
            hosts.append(AdapterHost(store, tools, org, adapter))
    return hosts


def load_adapter(name: str, settings: dict[str, str]) -> Adapter:
    """Find an adapter by its entry point in the group `gateway.adapters` and make it.

    Raises NodeFault when there is none of that name or it was written for another API version.
    """
    found = entry_points(group="gateway.adapters", name=name)
    if not found:
        known = ", ".join(sorted(entry.name for entry in entry_points(group="gateway.adapters")))
        raise NodeFault(f"There is no adapter named {name}. Installed: {known or 'none'}.")
    adapter: Adapter = next(iter(found)).load()(settings)
    version = adapter.describe().api_version
    if version.partition(".")[0] != API_VERSION.partition(".")[0]:
        raise NodeFault(
            f"The adapter {name} is written for version {version} of the adapter API; "
            f"this gateway has {API_VERSION}. Install a fitting adapter."
        )
    return adapter
