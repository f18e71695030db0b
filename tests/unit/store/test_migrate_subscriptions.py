"""The migration that chains logs which are there already."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from gateway.domain.log_chain import START, head_of
from gateway.store import migrate as migration
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.postgresql import PostgresqlServer
from tests.stores import SQLITE

BEFORE = "0003"
LOGS = {"530102/edu": [b"one", b"two", b"three"], "530627/edu": [b"a", b"b"]}


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path, store_kind: str) -> Engine:
    """An empty database of either kind."""
    if store_kind == SQLITE:
        return open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return open_engine(server.new_database("chained"))


def as_it_was(engine: Engine, logs: dict[str, Sequence[bytes]]) -> None:
    """Bring the database to the revision before, with these logs and a subscriber's bookmark."""
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        for org, payloads in logs.items():
            for position, payload in enumerate(payloads, start=1):
                connection.execute(
                    text("INSERT INTO events VALUES (:org, :at, :id, 23, :org, :when, :data)"),
                    {
                        "org": org,
                        "at": position,
                        "id": f"{org} {position}",
                        "when": "2026-11-23T08:00:00.000000+00:00",
                        "data": SignedEnvelope(payload=payload).SerializeToString(),
                    },
                )
        connection.execute(
            text("INSERT INTO bookmarks VALUES ('530102/edu', 'subscriber ledger', '2')")
        )
        connection.execute(text("INSERT INTO bookmarks VALUES ('530102/edu', 'adapter', 'x')"))


@pytest.mark.every_store
def test_old_logs_are_chained_and_bookmarks_taken_over(engine: Engine) -> None:
    """Every event of every log gets the head that it would have had, and each subscriber its
    position.
    """
    as_it_was(engine, LOGS)  # type: ignore[arg-type]
    migrate(engine)
    with engine.connect() as connection:
        for org, payloads in LOGS.items():
            heads = connection.execute(
                text("SELECT head FROM events WHERE org = :org ORDER BY position"), {"org": org}
            ).scalars()
            assert list(heads) == [
                head_of(START, 0, payloads[:count]) for count in range(1, len(payloads) + 1)
            ]
        subscribers = connection.execute(text("SELECT org, name, position FROM subscribers"))
        assert [tuple(row) for row in subscribers] == [("530102/edu", "ledger", 2)]
        kept = connection.execute(text("SELECT name FROM bookmarks")).scalars()
        assert list(kept) == ["adapter"]
    engine.dispose()
