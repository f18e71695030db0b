"""The example under deploy/ makes a database on which a node can work, and nobody else."""

import re
from pathlib import Path

import psycopg
import pytest

from gateway.domain.organisations import OrgId
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from tests.integration.postgresql.conftest import Opened
from tests.postgresql import PostgresqlServer

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "postgresql.sql"
ORG = OrgId.parse("530102/edu")


async def test_the_example_is_enough(postgresql: PostgresqlServer, opened: Opened) -> None:
    """The role of the example can make the schema and work on it; another may not even connect."""
    bare = re.sub(r"--.*", "", EXAMPLE.read_text("utf-8"))
    with postgresql.connect() as link:
        for statement in filter(str.strip, bare.replace("gateway", "county").split(";")):
            link.execute(statement.encode())
        link.execute("CREATE ROLE stranger LOGIN")
    url = postgresql.url.format(database="county").replace("//gateway@", "//county@")
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    store = await opened(url)
    assert await store.write(lambda work: work.counters.next(ORG, "acts")) == 1
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(host=str(postgresql.directory), user="stranger", dbname="county")
