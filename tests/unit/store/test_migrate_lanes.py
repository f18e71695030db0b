"""What a store of the first release has set aside or under way is carried over by migration 0002."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from gateway.domain.dead_letters import DeadLetterKind, DeadLetterState
from gateway.domain.organisations import OrgId
from gateway.store import migrate as migration
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.store.work import SqlWork
from tests.stores import Stores

WUHUA = OrgId.parse("530102/edu")
THEN = "2026-11-23T08:00:00.000000+00:00"


@pytest.mark.sqlite_alone
def test_what_stood_in_quarantine_stands_on_the_list(tmp_path: Path, stores: Stores) -> None:
    """With its reason, moment and bytes; mail under way begins its term, and still adds up."""
    engine = open_engine(stores(tmp_path / "node.db"))
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for digest, reason in (("a" * 64, "LANE_BROKEN"), ("b" * 64, "KEY_UNKNOWN")):
            connection.execute(
                text("INSERT INTO quarantine VALUES (:org, :digest, :reason, :data, :at)"),
                {"org": str(WUHUA), "digest": digest, "reason": reason, "data": b"x", "at": THEN},
            )
        connection.execute(
            text(
                "INSERT INTO outbox VALUES ('m', '530102/edu', '530627/edu', 1, 1, 'd', x'00',"
                " 'SENT', 1, :at, ''),"
                " ('r', '530102/edu', '530627/edu', 1, 2, 'd', x'00', 'REPLACED', 1, NULL, '')"
            ),
            {"at": THEN},
        )
        connection.execute(
            text("INSERT INTO sending_lanes VALUES ('530102/edu', '530627/edu', 1, 3, 'd')")
        )
    migrate(engine)
    with engine.begin() as connection:
        work = SqlWork(connection, bytes(32))
        letters = work.dead_letters.page(WUHUA)
        assert [(letter.kind, letter.state, letter.digest[0]) for letter in letters] == [
            (DeadLetterKind.LANE_BROKEN, DeadLetterState.OPEN, "a"),
            (DeadLetterKind.UNAUTHENTIC, DeadLetterState.OPEN, "b"),
        ]
        kept = work.dead_letters.get(WUHUA, letters[0].id)
        assert kept is not None
        assert (kept.envelope, kept.arose_at.isoformat()) == (b"x", THEN.replace(".000000", ""))
        found = work.outbox.find(WUHUA, "m")
        assert found is not None
        assert found.waits_since is not None
        assert found.envelope == b"\0"
        replaced = work.outbox.find(WUHUA, "r")
        assert replaced is not None
        assert not replaced.envelope, "nobody sends it any more"
        assert all(balance.balanced for balance in work.lanes.balances(WUHUA))
    engine.dispose()
