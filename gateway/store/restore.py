"""Restoring a store from a backup: only where no node works, and never over what is there.

Whatever the backup does not know, the peers return: the node that starts on it recovers.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, Final

from sqlalchemy import URL, Engine, text
from sqlalchemy.engine import make_url

from gateway.store.backup import (
    MARK,
    POSTGRESQL_COPY,
    REPLACED,
    BackupFault,
    Manifest,
    environment_of,
    last_line,
    mark_as_copy,
    read_backup,
    tool,
)
from gateway.store.claim import StoreClaim
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.migrate import known_revisions, migrate, status
from gateway.store.open_mark import OpenMark
from gateway.store.start_counter import sync

_OWNER_ONLY: Final = 0o600
_END: Final = f"SET search_path TO public;\n{MARK};\nCOMMIT;\n"
_LEAVING_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
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
    kept, begin = "", "BEGIN;\n"
    with _opened(url) as engine:
        _require_nobody(engine)
    if not _is_empty(url):
        if not replace:
            raise BackupFault(_not_empty(f"the database {make_url(url).database}"))
        kept = f"{REPLACED}{aside.lower()}"
        begin += f'ALTER SCHEMA public RENAME TO "{kept}";\nCREATE SCHEMA public;\n'
    _load(make_url(url), copy, begin)
    with _opened(url) as engine:
        migrate(engine)
    return kept


def _load(url: URL, copy: Path, begin: str) -> None:
    """Load the copy, and mark it as one, in the transaction that is begun by `begin`.

    pg_restore writes what psql carries out. The end is added only when the former has succeeded:
    whatever dies on the way, there is either the old store or one that knows that it is a copy.
    """
    dump = [tool("pg_restore"), "--no-owner", "--file=-", str(copy)]
    # Terse: further lines of an error may quote a row.
    load = [tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    load.append("--set=VERBOSITY=terse")
    with TemporaryFile("w+") as of_read, TemporaryFile("w+") as of_load:
        with (
            suppress(BrokenPipeError),  # psql has given up; it has said why
            Popen(dump, stdout=PIPE, stderr=of_read) as read,  # noqa: S603  # as backup.run_tool
            Popen(  # noqa: S603  # the same
                load, env=environment_of(url), stdin=PIPE, stdout=DEVNULL, stderr=of_load
            ) as loaded,
        ):
            assert read.stdout is not None
            assert loaded.stdin is not None
            loaded.stdin.write(begin.encode())
            shutil.copyfileobj(read.stdout, loaded.stdin)
            if read.wait() == 0:
                loaded.stdin.write(_END.encode())
        if read.returncode or loaded.returncode:
            # What one of them says may only follow from what happened to the other.
            raise BackupFault(f"pg_restore: {_end_of(of_read)}; psql: {_end_of(of_load)}")


def _end_of(said: IO[str]) -> str:
    said.seek(0)
    return last_line(said.read())


def _require_nobody(engine: Engine) -> None:
    """Raise BackupFault when a node works on the database.

    A link that was closed a moment ago still counts until the server's process has ended.
    """
    until = time.monotonic() + _LEAVING_SECONDS
    while _somebody(engine):
        if time.monotonic() > until:
            raise BackupFault(
                "A node works on this database. Stop every node of it first; then restore."
            )
        time.sleep(_LOOK_SECONDS)


def _somebody(engine: Engine) -> bool:
    with engine.connect().execution_options(reading=True) as connection:
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'dropout-gateway' AND pid <> pg_backend_pid()"
            )
        )
    return bool(others)


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
