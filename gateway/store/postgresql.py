"""PostgreSQL: what is asked of the server, and how a transaction begins.

One process writes at a time, as SQLite has it by itself: every writing transaction first takes one
lock of the database and keeps it until it has ended. So nobody writes between a read and the write
that rests on it, whatever was read, in however many processes; there is nothing to deadlock on, and
numbers become visible in their order. What is waited for is one short transaction of many tasks.
"""

from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gateway.store.faults import LinkLost, UnsafeStore

_OLDEST: Final = 150_000  # version 15: the oldest on which the tests run
_REFUSED: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "default_transaction_read_only": "on",  # as an administrator sets it on what nobody is to change
}
_WRITERS_LOCK: Final = int.from_bytes(b"gateway")
_BEGIN_WRITING: Final = text(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")

_LINK: Final[dict[str, str | int]] = {
    "application_name": "dropout-gateway",
    # A server that vanished without a word is given up within a quarter of a minute.
    "connect_timeout": 5,  # seconds, as the next two
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
_SESSION: Final = {
    # A process that stopped inside a transaction is cut off before those who wait give up.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "20s",
    "statement_timeout": "30s",
}
_CONNECTIONS: Final = 6  # one writer, two readers, the lease, and who looks on beside them
_PASSING: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock


def open_postgresql(url: str) -> Engine:
    """Open `postgresql+psycopg://...`. What the URL itself says of the link wins."""
    given = make_url(url).query
    engine = create_engine(
        url,
        connect_args={name: value for name, value in _LINK.items() if name not in given},
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=10,  # seconds
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def keeps_checksums(engine: Engine) -> bool:
    """Whether a PostgreSQL server would notice that its disk gave back other bytes than it took.

    Without them the gateway works: what it holds is signed or hashed, only found out later. Of
    SQLite nothing is asked; a node checks the whole of such a file when it starts.
    """
    if engine.dialect.name == "sqlite":
        return True
    with engine.connect().execution_options(reading=True) as connection:
        return connection.execute(text("SHOW data_checksums")).scalar() == "on"


def passes(fault: DBAPIError | LinkLost) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    if isinstance(fault, LinkLost):
        return True
    return fault.connection_invalidated or getattr(fault.orig, "sqlstate", None) in _PASSING


def _prepare(session: Any, _record: object) -> None:
    if session.info.server_version < _OLDEST:
        _refuse(session, f"PostgreSQL {session.info.server_version // 10_000} is too old; 15 is")
    with session.cursor() as cursor:
        for name, refused in _REFUSED.items():
            found = cursor.execute(f"SHOW {name}".encode()).fetchone()
            if found == (refused,):
                other = "on" if refused == "off" else "off"
                _refuse(session, f"PostgreSQL runs with {name}={refused}; {other} is")
        if cursor.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            _refuse(session, "PostgreSQL is a standby here; its primary is")
        for name, value in _SESSION.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
    session.commit()


def _refuse(session: Any, what: str) -> None:
    session.close()
    raise UnsafeStore(f"{what} needed.")


def _begin(connection: Connection) -> None:
    session: Any = connection.connection.dbapi_connection
    if session.autocommit:
        return
    reading = bool(connection.get_execution_options().get("reading"))
    # Nothing is sent yet: the driver says both with its BEGIN. (Its package is loaded by the URL
    # alone: nodes on SQLite start without it.)
    session.read_only = reading
    levels = connection.dialect.loaded_dbapi.IsolationLevel
    if reading:
        session.isolation_level = levels.REPEATABLE_READ  # one snapshot for all that is read
        return
    # Each statement sees what was committed before it, so all of them what the lock waited for.
    session.isolation_level = levels.READ_COMMITTED
    connection.execute(_BEGIN_WRITING)
