"""`gateway backup`: a consistent copy of a node's store, while the node runs."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from gateway.cli.node_options import NodeCommand, config_option, give_up, read_config
from gateway.store.backup import BackupFault, back_up
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated


@click.command(cls=NodeCommand)
@config_option
@click.argument("target", type=click.Path(path_type=Path))
def backup(config_file: Path, target: Path) -> None:
    """Copy a node's store into the new directory TARGET; the node may go on working.

    The copy holds personal data: it is readable by its owner alone, and whoever gets it must keep it
    so. Keys and the vault's key are not in it; keep those in another place. A node that is started
    on the copy first gets back from its peers what the copy does not know.

    Example:
      gateway backup --config node.toml backups/2026-11-23
    """
    config = read_config(config_file)
    try:
        manifest = back_up(config.store.url, target, config.node.name, datetime.now(UTC))
    except (BackupFault, UnsafeStore, StoreOutdated, OSError) as fault:
        give_up([fault])
    except DBAPIError as fault:
        give_up([f"The store cannot be read ({type(fault.orig).__name__}). Run: gateway doctor"])
    click.echo(f"{target}: {manifest.bytes} bytes, schema {manifest.schema}")
    click.echo(f"SHA-256 {manifest.sha256}")
    click.echo("It holds personal data: keep it as you keep the store.")
