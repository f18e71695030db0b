"""`gateway serve`: run one node until it is told to stop."""

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import click

from gateway import log_events
from gateway.bootstrap.faults import NodeFault
from gateway.bootstrap.node import Node
from gateway.bus.server import BrokerFailed
from gateway.cli.lazy_group import keep_examples
from gateway.config import ConfigFault, load_config
from gateway.crypto.faults import MaterialFault
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated
from gateway.store.vault_key import VaultKeyFault

_YOUNG = 20_000
"""Objects made before the collector looks at the youngest of them."""
_FAULTS = (
    NodeFault,
    MaterialFault,
    UnsafeStore,
    StoreOutdated,
    VaultKeyFault,
    BrokerFailed,
    OSError,
)


@click.command(
    help=keep_examples(
        """Run one node until SIGTERM or SIGINT, then finish what runs and stop.

        The node says where it listens. Its health service answers SERVING only while store, bus
        and keys are good. The log goes to standard error, one JSON object a line.

        Example:
          gateway serve --config two/nodes/530102/node.toml
        """
    )
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    envvar="GATEWAY_CONFIG",
    show_envvar=True,
    help="The node's configuration.",
)
def serve(config_file: Path) -> None:
    """Run one node."""
    try:
        config = load_config(config_file, os.environ)
    except ConfigFault as fault:
        for problem in fault.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    log_events.configure(config.node.log_level)
    try:
        asyncio.run(_serve(Node(config)))
    except _FAULTS as fault:
        click.echo(f"gateway serve: {fault}", err=True)
        sys.exit(1)


async def _serve(node: Node) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def started(address: str) -> None:
        # What the start made stays for good. To look through all of it again and again would let
        # the node stand still for tens of milliseconds in the middle of somebody's letter.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
        click.echo(f"gateway: listening on {address}")

    await node.run(stop, started)
