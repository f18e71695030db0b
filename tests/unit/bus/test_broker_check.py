"""What a server says of itself, and which servers are refused."""

import json
from typing import Any

import pytest

from gateway.bus.broker_check import ServerReport, UnsafeBroker, judge, judge_version
from gateway.ports.condition import Code


def answer(name: str = "one", version: str = "2.15.1", **config: object) -> bytes:
    """A server's answer, cut to what is read of it."""
    state: dict[str, Any] = {"active_servers": 3, "jetstream": {"config": config}}
    return json.dumps({"server": {"name": name, "ver": version}, "statsz": state}).encode()


def test_a_report_is_read() -> None:
    """Name, version, number of servers, and whether the disk comes before the answer."""
    assert ServerReport.read(answer(sync_always=True)) == ServerReport(
        "one", "2.15.1", servers=3, keeps_mail=True, syncs_always=True
    )


@pytest.mark.parametrize("config", [{}, {"sync_always": False}, {"sync_always": "true"}])
def test_what_a_server_does_not_say_counts_as_unsafe(config: dict[str, Any]) -> None:
    """The server leaves the field out when it is off."""
    with pytest.raises(UnsafeBroker) as refused:
        judge([ServerReport.read(answer("two", **config))])
    assert refused.value.finding.code is Code.BROKER_LAZY_SYNC
    assert refused.value.finding.facts == {"server": "two"}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"server":{}}', b'{"server":1,"statsz":2}'])
def test_an_answer_that_is_none_is_an_error(data: bytes) -> None:
    """Whoever answers with something else is not believed."""
    with pytest.raises(ValueError):  # noqa: PT011  # of which two kinds: JSON's and our own
        ServerReport.read(data)


@pytest.mark.parametrize("version", ["2.14.9", "2.9.99", "1.99.0", "0.0.0-unknown", "", "v2.15.0"])
def test_an_old_server_is_refused(version: str) -> None:
    """What is older than the first version that keeps its word, or of no known version."""
    with pytest.raises(UnsafeBroker) as refused:
        judge_version("one", version)
    assert refused.value.finding.code is Code.BROKER_TOO_OLD
    assert "2.15.0" in refused.value.finding.advice


@pytest.mark.parametrize("version", ["2.15.0", "2.15.1", "2.16.0-RC.1", "3.0.0", "10.0.0"])
def test_a_new_server_is_taken(version: str) -> None:
    """Numbers are compared as numbers."""
    judge_version("one", version)


def test_one_bad_server_spoils_a_cluster() -> None:
    """Any of them may be asked to keep mail, so each must."""
    good = [ServerReport.read(answer(name, sync_always=True)) for name in ("a", "b")]
    judge(good)
    with pytest.raises(UnsafeBroker) as refused:
        judge([*good, ServerReport.read(answer("c"))])
    assert refused.value.finding.facts == {"server": "c"}
    with pytest.raises(UnsafeBroker):
        judge([*good, ServerReport.read(answer("c", "2.14.0", sync_always=True))])


def test_a_server_without_jetstream_keeps_no_mail() -> None:
    """It only passes mail on, so how it would write is no matter."""
    told = json.loads(answer())
    del told["statsz"]["jetstream"]
    judge([ServerReport.read(json.dumps(told).encode())])
