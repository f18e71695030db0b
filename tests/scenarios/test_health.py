"""Health tells the truth: each part under its own name, and the node by what it cannot do without."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.bootstrap.faults import NodeFault
from gateway.crypto.authority import read_edition, revoke_key, sign_directory
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.edition import Edition
from gateway.crypto.files import write_public
from gateway.crypto.keyring import read_private_key
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.ports.condition import RUNNING, Code, Part
from gateway.transport.server import SERVICES
from tests.stores import sqlite_file
from tests.world.estate import SHUIFU, WUHUA
from tests.world.running import RunningProvince
from tests.world.running_estate import TWO_COUNTIES
from tests.world.waiting import eventually


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[RunningProvince]:
    """Two counties that a test may ruin."""
    province = RunningProvince(tmp_path, TWO_COUNTIES, stores=sqlite_file)
    province.start()
    yield province
    province.close()


def state(world: RunningProvince, name: str, org: OrgId = WUHUA) -> str:
    """Return what the node says of a part or service."""
    stub: Any = health_pb2_grpc.HealthStub(world.clients.channel(org))
    answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5.0)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def failing(world: RunningProvince) -> set[str]:
    """Return the parts that do not serve."""
    return {part for part in RUNNING if state(world, part) != "SERVING"}


def edition_of(world: RunningProvince) -> Edition:
    """Return the directory in force."""
    authority = read_private_key(world.directory / "authority.key.pem")
    return read_edition(world.directory / "directory.bin", authority)


def publish(world: RunningProvince, edition: Edition) -> None:
    """Have the authority sign an edition and put it where the nodes look."""
    authority = read_private_key(world.directory / "authority.key.pem")
    write_public(world.directory / "directory.bin", sign_directory(edition, authority))


def ended(world: RunningProvince, name: str) -> str:
    """Wait until a node has ended by itself and return what it said."""
    node = world.nodes[name]
    task, node._task = node._task, None  # it is not to be stopped any more
    assert task is not None
    eventually(task.done, f"the end of {name}")
    return str(task.exception())


def refused_start(world: RunningProvince, name: str) -> str:
    """See that a node does not start and return what it said."""
    with pytest.raises(NodeFault) as caught:
        world.run(world.nodes[name].start())
    world.nodes[name]._task = None
    return str(caught.value)


def test_every_part_serves(pair: RunningProvince) -> None:
    """In good order there is nothing to tell: each part, each service, the node."""
    eventually(lambda: not failing(pair), "every part serving")
    for name in ("", *(service.full_name for service in SERVICES)):
        assert state(pair, name) == "SERVING"


def test_without_its_broker_a_node_says_which_part(
    pair: RunningProvince, logs: list[dict[str, object]]
) -> None:
    """The bus fails and with it the node; the others serve; with the broker back all do."""
    pair.broker.stop()
    eventually(lambda: failing(pair) == {Part.BUS}, "the bus failing")
    assert state(pair, "") == "NOT_SERVING"
    assert {"part": Part.BUS, "codes": Code.BUS_AWAY}.items() <= next(
        entry for entry in logs if entry["event"] == "condition.changed"
    ).items()
    pair.broker.start()
    eventually(lambda: not failing(pair), "every part serving again")
    assert state(pair, "") == "SERVING"


def test_a_node_without_a_good_key_does_not_serve(pair: RunningProvince) -> None:
    """The bureau's signing key is revoked: its node fails under `keys`, the other one serves."""
    authority = read_private_key(pair.directory / "authority.key.pem")
    listed = SignedDirectory(
        pair.directory / "directory.bin", (pair.directory / "authority.pub.pem").read_bytes()
    )
    now = pair.clock.now()
    key = listed.current_key(WUHUA, KeyPurpose.SIGN, now)
    assert key is not None
    path = pair.directory / "directory.bin"
    revoke_key(path, authority, key.key_id, at=now, reason="lost", now=now)
    eventually(lambda: failing(pair) == {Part.KEYS}, "the keys failing")
    assert state(pair, "") == "NOT_SERVING"
    assert state(pair, "", SHUIFU) == "SERVING"


def test_a_clock_that_went_back_is_told_and_stops_nobody(pair: RunningProvince) -> None:
    """Eleven minutes: `clock` fails until it has caught up; the node goes on serving."""
    eventually(lambda: not failing(pair), "every part serving")
    pair.clock.advance(minutes=-11)
    eventually(lambda: failing(pair) == {Part.CLOCK}, "the clock failing")
    assert state(pair, "") == "SERVING"
    pair.clock.advance(minutes=11)
    eventually(lambda: not failing(pair), "the clock good again")


def test_a_node_whose_organisation_moved_ends(pair: RunningProvince) -> None:
    """The directory gives the bureau to another node: two stores would act, so this one ends."""
    edition = edition_of(pair)
    moved = tuple(
        replace(org, node="shuifu") if org.id == WUHUA else org for org in edition.organisations
    )
    publish(pair, replace(edition, version=edition.version + 1, organisations=moved))
    said = ended(pair, "wuhua")
    assert Code.ORGANISATION_ELSEWHERE in said
    assert "shuifu" in said
    assert Code.ORGANISATION_ELSEWHERE in refused_start(pair, "wuhua")
    assert state(pair, "", SHUIFU) == "SERVING"


def test_a_directory_rolled_back_while_the_node_was_down_is_refused(pair: RunningProvince) -> None:
    """What the node has gone by it remembers: an older edition does not start it again."""
    first = edition_of(pair)
    publish(pair, replace(first, version=first.version + 1))
    pair.knows_edition(first.version + 1)
    noted = pair.engine("wuhua")
    eventually(lambda: b"directory version" in _bookmarks(noted), "the edition noted")
    eventually(lambda: str(first.version + 1).encode() in _bookmarks(noted), "its version noted")
    pair.run(pair.nodes["wuhua"].stop())
    publish(pair, first)
    assert Code.DIRECTORY_ROLLED_BACK in refused_start(pair, "wuhua")


def _bookmarks(engine: Any) -> bytes:
    """Return the node's notes about the directory."""
    with engine.connect().execution_options(reading=True) as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, value FROM bookmarks WHERE name = 'directory version'"
        )
        return repr(list(rows)).encode()
