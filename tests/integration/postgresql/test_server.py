"""What is asked of a server before the gateway trusts it with anything."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gateway.ports.condition import Code
from gateway.store import postgresql as settings
from gateway.store.checks import store_findings
from gateway.store.engine import open_engine
from gateway.store.faults import UnsafeStore
from gateway.store.postgresql import keeps_checksums
from tests.postgresql import PostgresqlServer
from tests.world.waiting import eventually


@pytest.fixture
def altered(postgresql: PostgresqlServer) -> Iterator[PostgresqlServer]:
    """The server, whose settings are put back afterwards."""
    yield postgresql
    with postgresql.connect() as link:
        link.execute("ALTER SYSTEM RESET ALL")
        link.execute("SELECT pg_reload_conf()")


def refusal(url: str) -> str:
    """Connect, and return why that was refused; empty when it was not."""
    engine = open_engine(url)
    try:
        engine.connect().close()
    except UnsafeStore as fault:
        return str(fault)
    finally:
        engine.dispose()
    return ""


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_careless_server_is_refused(altered: PostgresqlServer, url: str, name: str) -> None:
    """A server that would lose what it acknowledged is named and not used."""
    with altered.connect() as link:
        link.execute(f"ALTER SYSTEM SET {name} = off".encode())
        link.execute("SELECT pg_reload_conf()")
    eventually(lambda: refusal(url) == f"PostgreSQL runs with {name}=off; on is needed.", "refusal")


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [("synchronous_commit", "off", "on"), ("default_transaction_read_only", "on", "off")],
)
def test_careless_database_is_refused(
    postgresql: PostgresqlServer, database: str, name: str, value: str, needed: str
) -> None:
    """The same for a setting of one database; so is one that is kept for reading only."""
    with postgresql.connect() as link:
        link.execute(f'ALTER DATABASE "{database}" SET {name} = {value}'.encode())
    said = f"PostgreSQL runs with {name}={value}; {needed} is needed."
    assert refusal(postgresql.url.format(database=database)) == said


def test_an_empty_database_is_no_outdated_store(postgresql: PostgresqlServer) -> None:
    """The doctor says that there is no store yet: a node makes it when it starts."""
    url = postgresql.new_database("nothing-yet")
    (found,) = store_findings(url, datetime.now(UTC))
    assert found.code is Code.STORE_ABSENT
    assert found.facts == {"path": "postgresql:nothing-yet"}


def test_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server older than those of the tests is refused with the version that is needed."""
    monkeypatch.setattr(settings, "_OLDEST", 990_000)
    with pytest.raises(UnsafeStore, match="is too old"):
        open_engine(url).connect()


def test_every_wait_is_bounded(url: str) -> None:
    """Each session says who it is, and has a bound for each way to wait for ever."""
    engine = open_engine(url)
    with engine.connect().execution_options(reading=True) as connection:
        found = {
            name: connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("application_name", *settings._SESSION)
        }
    assert found == {"application_name": "dropout-gateway", **settings._SESSION}
    assert keeps_checksums(engine)
    engine.dispose()


def test_what_the_url_says_wins(url: str) -> None:
    """An operator's own word about the link is not overruled."""
    engine = open_engine(f"{url}&application_name=county")
    with engine.connect().execution_options(reading=True) as connection:
        assert connection.execute(text("SHOW application_name")).scalar() == "county"
    engine.dispose()
