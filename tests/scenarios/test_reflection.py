"""A stranger without the proto files: lists the services, reports an absence, mends it."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from gateway.crypto.development import file_stem
from gateway.transport.server import SERVICES
from tests.world.clients import PATIENCE
from tests.world.estate import WUHUA_SCHOOL
from tests.world.running import RunningProvince
from tests.world.story import Story

ROOT = Path(__file__).resolve().parents[2]
BUF = ROOT / ".venv" / "bin" / "buf"
REPORT = "gateway.v1.AbsenceService/ReportAbsence"


class Stranger:
    """A client that knows an address and has a certificate, and nothing of the contract."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self.database)

    def services(self) -> set[str]:
        """The names of what is served."""
        return set(self.database.get_services())

    def call(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Call a method with fields as JSON has them."""
        service, name = method.split("/")
        found = self._pool.FindServiceByName(service).methods_by_name[name]
        request = ParseDict(fields, GetMessageClass(found.input_type)())
        answer = GetMessageClass(found.output_type)
        stub = self._channel.unary_unary(
            f"/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return MessageToDict(stub(request, timeout=PATIENCE), preserving_proto_field_name=True)


def report_as_json(story: Story, days: list[str]) -> dict[str, Any]:
    """A report as a stranger writes it."""
    child = story.child
    return {
        "request_id": str(uuid4()),
        "actor_post": "HEAD_TEACHER",
        "subject": {"identity": {"name": child.name, "id_number": child.id_number}},
        "days": [{"date": day, "kind": "ABSENCE_KIND_UNEXCUSED"} for day in days],
    }


def test_stranger_lists_reports_reads_and_mends(world: RunningProvince, story: Story) -> None:
    """Given only reflection; when a stranger reports two days; then the refusal says in words
    what is wrong and what to do; and mended with the third day the report is taken.
    """
    stranger = Stranger(world.clients.channel(WUHUA_SCHOOL))
    assert {service.full_name for service in SERVICES} <= stranger.services()
    assert "grpc.health.v1.Health" in stranger.services()

    with pytest.raises(grpc.RpcError) as caught:
        stranger.call(REPORT, report_as_json(story, ["2026-11-19", "2026-11-20"]))

    error: Any = caught.value
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "2 unexcused school days count" in error.details()
    assert "Report when the threshold is reached" in error.details()
    status = rpc_status.from_call(error)
    assert status is not None
    assert any(b"BELOW_THRESHOLD" in detail.value for detail in status.details)

    taken = stranger.call(REPORT, report_as_json(story, ["2026-11-18", "2026-11-19", "2026-11-20"]))
    assert taken["absence"]["state"] == "ABSENCE_STATE_REPORTED"
    assert len(taken["absence"]["counted_days"]) == 3


def buf(world: RunningProvince, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run buf curl as the school's client, with no schema of its own."""
    stem = world.directory / "clients" / file_stem(WUHUA_SCHOOL)
    return subprocess.run(
        [
            *(str(BUF), "curl", "--protocol", "grpc", "--reflect"),
            *("--cacert", str(world.directory / "ca.pem")),
            *("--cert", f"{stem}.crt", "--key", f"{stem}.key"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        cwd=world.directory,
        timeout=60,
        check=False,
    )


def test_generic_client_lists_and_calls(world: RunningProvince, story: Story) -> None:
    """`buf curl` over mutual TLS, with no proto files: lists the methods, is refused with words,
    and has the mended report taken.
    """
    url = f"https://{world.nodes['wuhua'].address}"
    listed = buf(world, "--list-methods", url)
    assert listed.returncode == 0, listed.stderr
    assert REPORT in listed.stdout.split()

    refused = buf(world, "-d", json.dumps(report_as_json(story, ["2026-11-20"])), f"{url}/{REPORT}")
    assert refused.returncode != 0
    told = json.loads(refused.stderr)
    assert "Report when the threshold is reached" in told["message"]
    info = next(d for d in told["details"] if d["type"] == "google.rpc.ErrorInfo")
    assert b"BELOW_THRESHOLD" in base64.b64decode(info["value"] + "==")

    days = ["2026-11-18", "2026-11-19", "2026-11-20"]
    taken = buf(world, "-d", json.dumps(report_as_json(story, days)), f"{url}/{REPORT}")
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["absence"]["state"] == "ABSENCE_STATE_REPORTED"
