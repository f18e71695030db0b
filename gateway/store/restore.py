"""Restoring a store from a backup: only where no node works, and never over what is there.

Whatever the backup does not know, the peers return: the node that starts on it recovers.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from gateway.store.backup import (
    POSTGRESQL_COPY,
    REPLACED,
    BackupFault,
    Manifest,
    mark_as_copy,
    read_backup,
    run_tool,
)
from gateway.store.claim import StoreClaim
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.migrate import known_revisions, migrate, status
from gateway.store.open_mark import OpenMark
from gateway.store.start_counter import sync

_OWNER_ONLY: Final = 0o600
_COMPANIONS: Final = ("", "-wal", "-shm")


def restore(url: str, source: Path, *, replace: bool, now: datetime) -> tuple[Manifest, str]:
    """Put the backup in the place of the store; return its manifest and where the old one is kept.

    Raises:
        BackupFault: the backup cannot be used, a node works on the store, or the store is not empty
            and `replace` was not given.
        UnsafeStore: another process has the SQLite file.
        sqlalchemy.exc.DBAPIError, OSError: database or disk refused.
    """
    manifest, copy = read_backup(source)
    if manifest.schema not in known_revisions():
        raise BackupFault(
            f"The backup has schema {manifest.schema}, which this gateway does not know. Install "
            "the gateway that made it, or a newer one."
        )
    path = sqlite_file(url)
    if (path is None) != (manifest.file == POSTGRESQL_COPY):
        raise BackupFault(
            "The backup was made from the other kind of database. Restore it to one of its own kind."
        )
    aside = f"{now:%Y%m%dT%H%M%S}"
    if path is None:
        return manifest, _restore_postgresql(url, copy, aside, replace=replace)
    with StoreClaim(url):
        return manifest, _restore_sqlite(path, copy, aside, replace=replace)


def _restore_sqlite(path: Path, copy: Path, aside: str, *, replace: bool) -> str:
    kept = ""
    if path.exists() and not _is_empty(f"sqlite:///{path}"):
        if not replace:
            raise BackupFault(_not_empty(str(path)))
        kept = str(path.with_name(f"{path.name}.replaced-{aside}"))
    new = path.with_name(f".{path.name}.restoring")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(copy, new)
    new.chmod(_OWNER_ONLY)
    with _opened(f"sqlite:///{new}") as engine:
        migrate(engine)
        mark_as_copy(engine)
    for companion in _COMPANIONS:
        old = path.with_name(f"{path.name}{companion}")
        if old.exists() and kept:
            old.rename(f"{kept}{companion}")
        old.unlink(missing_ok=True)
    OpenMark(path).path.unlink(missing_ok=True)
    sync(new)
    new.rename(path)
    sync(path.parent)
    return kept


def _restore_postgresql(url: str, copy: Path, aside: str, *, replace: bool) -> str:
    kept = ""
    with _opened(url) as engine:
        _require_nobody(engine)
        if not _is_empty(url):
            if not replace:
                raise BackupFault(_not_empty(f"the database {make_url(url).database}"))
            kept = f"{REPLACED}{aside.lower()}"
            with engine.begin() as connection:
                connection.execute(text(f'ALTER SCHEMA public RENAME TO "{kept}"'))
                connection.execute(text("CREATE SCHEMA public"))
    run_tool(
        "pg_restore",
        make_url(url),
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={make_url(url).database}",
        str(copy),
    )
    with _opened(url) as engine:
        migrate(engine)
        mark_as_copy(engine)
    return kept


def _require_nobody(engine: Engine) -> None:
    with engine.connect().execution_options(reading=True) as connection:
        others = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'dropout-gateway' AND pid <> pg_backend_pid()"
            )
        ).scalar()
    if others:
        raise BackupFault(
            "A node works on this database. Stop every node of it first; then restore."
        )


def _is_empty(url: str) -> bool:
    with _opened(url) as engine:
        return status(engine).current is None


def _not_empty(what: str) -> str:
    return (
        f"There is a store at {what} already. Restore to an empty place, or say --replace: the old "
        "store is then kept beside."
    )


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
