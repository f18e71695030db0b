"""Bringing a database to the present schema, and refusing to work on any other.

Migrations only go forward: a step back would drop what was acknowledged. Each run is one
transaction, on both databases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

_SCRIPTS: Final = Path(__file__).parent / "migrations"


class StoreOutdated(Exception):
    """The database has another schema than this gateway; the text says what to do."""


@dataclass(frozen=True)
class Status:
    """Where a database stands.

    Attributes:
        current: revision of its schema; None when it is empty. It may be one that this gateway
            does not know, if a newer one migrated it.
        head: the revision that this gateway works on.
        pending: the migrations to run, oldest first; empty when there are none, or when `current`
            is unknown.
    """

    current: str | None
    head: str
    pending: tuple[str, ...]


def migrate(engine: Engine) -> list[str]:
    """Run what is pending and return the revisions run, oldest first; none when up to date.

    Raises:
        StoreOutdated: a newer gateway has migrated the database; nothing was changed.
        sqlalchemy.exc.DBAPIError: the database refused; nothing was changed.
    """
    before = status(engine)
    if _is_unknown(before):
        raise StoreOutdated(_newer(before))
    if before.pending:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL statement_timeout = 0"))  # tables may be large
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return list(before.pending)


def status(engine: Engine) -> Status:
    """Read where the database stands; changes nothing.

    Raises:
        sqlalchemy.exc.DBAPIError: the database cannot be read.
    """
    with engine.connect().execution_options(reading=True) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = known_revisions()
    return Status(current, known[0], _pending(known, current))


def known_revisions() -> list[str]:
    """Return the revisions that this gateway knows, newest first."""
    return [script.revision for script in ScriptDirectory(_SCRIPTS).walk_revisions()]


def require_current(engine: Engine) -> None:
    """Do nothing when the database has the schema this gateway works on.

    Raises:
        StoreOutdated: it has another one.
        sqlalchemy.exc.DBAPIError: the database cannot be read.
    """
    found = status(engine)
    if _is_unknown(found):
        raise StoreOutdated(_newer(found))
    if found.current is None:
        raise StoreOutdated(
            "The store is empty: it has no tables yet. A node makes them when it starts; so does: "
            "gateway db migrate --config FILE"
        )
    if found.pending:
        raise StoreOutdated(
            f"The store is at revision {found.current}, {found.head} is needed. "
            "Run: gateway db migrate --config FILE"
        )


def _pending(newest_first: Sequence[str], current: str | None) -> tuple[str, ...]:
    if current is None:
        return tuple(reversed(newest_first))
    if current not in newest_first:
        return ()
    return tuple(reversed(newest_first[: newest_first.index(current)]))


def _is_unknown(found: Status) -> bool:
    return found.current != found.head and not found.pending


def _newer(found: Status) -> str:
    return (
        f"The store is at revision {found.current}, which this gateway does not know (it works on "
        f"{found.head}). Install the gateway that migrated it, or a newer one."
    )
