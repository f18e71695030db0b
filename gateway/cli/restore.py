"""`gateway restore`: a backup takes the place of a node's store."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from gateway.cli.node_options import NodeCommand, config_option, give_up, read_config
from gateway.store import restore as store
from gateway.store.backup import BackupFault
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated


@click.command(cls=NodeCommand)
@config_option
@click.option(
    "--replace", is_flag=True, help="Set an old store that is not empty aside, and keep it there."
)
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(config_file: Path, source: Path, *, replace: bool) -> None:
    """Put the backup SOURCE in the place of a node's store. The node must not run.

    What happened since the backup was made is not in it. The node therefore starts in recovery:
    its organisations perform no act of authority until every peer has returned what it had from
    them. What had reached no peer is lost.

    Example:
      gateway restore --config node.toml backups/2026-11-23 --replace
      gateway recovery show
    """
    config = read_config(config_file)
    try:
        manifest, kept = store.restore(
            config.store.url, source, replace=replace, now=datetime.now(UTC)
        )
    except (BackupFault, UnsafeStore, StoreOutdated, OSError) as fault:
        give_up([fault])
    except DBAPIError as fault:
        give_up([f"The database refused ({type(fault.orig).__name__}). Run: gateway doctor"])
    click.echo(f"Restored the store of {manifest.node} as it was at {manifest.made_at}.")
    if kept:
        click.echo(f"The old store is kept as {kept}.")
    click.echo("Start the node; it recovers what it lacks. See: gateway recovery show")
