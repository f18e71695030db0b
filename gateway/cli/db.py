"""`gateway db`: the schema of a node's store."""

import json
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from gateway.cli.node_options import NodeGroup, config_option, give_up, read_config, show_table
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated
from gateway.store.migrate import migrate as run_migrations
from gateway.store.migrate import status as read_status

_FAULTS = (StoreOutdated, UnsafeStore, OSError)


@click.group(cls=NodeGroup)
def db() -> None:
    """Make and migrate a node's store; see where it stands.

    Migrations only go forward. Stop the node and copy its store before migrating one that holds
    data.

    Example:
      gateway db status --config node.toml
    """


@db.command("migrate")
@config_option
def migrate(config_file: Path) -> None:
    """Bring the store to the schema of this gateway; make it when there is none.

    Example:
      gateway db migrate --config node.toml
    """
    url = read_config(config_file).store.url
    try:
        engine = open_engine(url)
        try:
            done = run_migrations(engine)
        finally:
            engine.dispose()
    except _FAULTS as fault:
        give_up([fault])
    except DBAPIError as fault:
        give_up([_unreachable(fault)])
    for revision in done:
        click.echo(f"Ran {revision}.")
    if not done:
        click.echo("Nothing to do: the store is up to date.")


@db.command("status")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
def status(config_file: Path, as_json: bool) -> None:
    """Say which schema the store has and which this gateway needs. Exit code 1 if they differ.

    Example:
      gateway db status --config node.toml
    """
    url = read_config(config_file).store.url
    path = sqlite_file(url)
    if path is not None and not path.exists():
        give_up(
            [f"There is no store at {path} yet. Run: gateway db migrate --config {config_file}"]
        )
    try:
        engine = open_engine(url)
        try:
            found = read_status(engine)
        finally:
            engine.dispose()
    except _FAULTS as fault:
        give_up([fault])
    except DBAPIError as fault:
        give_up([_unreachable(fault)])
    fields = {
        "current": found.current or "",
        "needed": found.head,
        "pending": list(found.pending),
        "up_to_date": found.current == found.head,
    }
    if as_json:
        click.echo(json.dumps(fields))
    else:
        pending = ", ".join(found.pending) or "-"
        show_table(["current", "needed", "pending"], [[found.current or "-", found.head, pending]])
    if found.current != found.head:
        give_up([])


def _unreachable(fault: DBAPIError) -> str:
    # The driver's own text may quote the URL with its password.
    return (
        f"The database does not answer as it should ({type(fault.orig).__name__}). Check [store] "
        "url, and that the database runs and lets this user in."
    )
