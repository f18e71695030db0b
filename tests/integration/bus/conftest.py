"""A real broker with TLS and nkey users for each test, and the way to connect nodes to it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.bus.server import BundledServer
from tests.integration.bus.certificates import Certificates, make_certificates
from tests.integration.bus.nodes import HOMES, Broker, Nodes


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority and broker certificate for all tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def broker(tmp_path: Path, certificates: Certificates) -> Iterator[Broker]:
    """A broker on a free port with one user for each node of HOMES."""
    seeds = {node: user_seed(os.urandom(32)) for node in HOMES}
    users = [
        BrokerUser(public_nkey(seeds[node]), permissions_of(node, orgs))
        for node, orgs in HOMES.items()
    ]
    with BundledServer(tmp_path / "broker", certificates.cert, certificates.key, users) as server:
        yield Broker(server, certificates, seeds)


@pytest.fixture
async def nodes(broker: Broker) -> AsyncIterator[Nodes]:
    """The way to connect nodes to the broker."""
    async with AsyncExitStack() as stack:
        yield Nodes(broker, stack)
