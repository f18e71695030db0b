"""What alembic executes: on the connection it is handed, or for a draft on that of `-x url=`."""

from alembic import context
from sqlalchemy import Connection

from gateway.store import (  # noqa: F401 - their tables become known
    commit_marks,
    leases,
    recovery_tables,
    shelf_tables,
    subscription_tables,
)
from gateway.store.engine import open_engine
from gateway.store.tables import metadata


def run(connection: Connection) -> None:
    """Run on this connection, inside the transaction it is in."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite alters a table by copying it.
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as opened:
        run(opened)
