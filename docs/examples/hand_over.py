"""Hands a case over to the county it is due to: hand_over.py DIRECTORY CASE_ID (of 530102/edu)."""

import sys
import time
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.message_factory import GetMessageClass

from gateway.v1 import case_pb2, jurisdiction_pb2, letter_pb2


def call(org: str, post: str, request: Any) -> Any:
    """Call the RPC that takes this request, with the certificate of the organisation."""
    file = Path(sys.argv[1], "clients", f"{org.replace('/', '_')}.toml")
    profile = tomllib.loads(file.read_text())
    pem = [(file.parent / profile[name]).read_bytes() for name in ("ca", "key", "cert")]
    service = next(iter(request.DESCRIPTOR.file.services_by_name.values()))
    method = next(m for m in service.methods if m.input_type is request.DESCRIPTOR)
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id, request.actor_post = str(uuid4()), post
    with grpc.secure_channel(profile["target"], grpc.ssl_channel_credentials(*pem)) as channel:
        answer = GetMessageClass(method.output_type).FromString
        path = f"/{service.full_name}/{method.name}"
        return channel.unary_unary(path, type(request).SerializeToString, answer)(request, 10)


SENDER, CASE_ID = "530102/edu", sys.argv[2]
due = call(SENDER, "", jurisdiction_pb2.EvaluateRequest(case_id=CASE_ID)).decision.letters_due[0]
draft = letter_pb2.CreateDraftRequest(kind=due.kind, recipient=due.recipient, case_ids=[CASE_ID])
letter = call(SENDER, "CASE_OFFICER", draft).letter
about = {"letter_id": letter.letter_id}
call(SENDER, "APPROVER", letter_pb2.SignLetterRequest(**about, version=1))
call(SENDER, "CASE_OFFICER", letter_pb2.DispatchLetterRequest(**about, version=2))
while not any(
    found.letter_id == letter.letter_id
    for found in call(due.recipient, "", letter_pb2.ListLettersRequest(received=True)).letters
):
    time.sleep(0.1)
call(due.recipient, "CASE_OFFICER", letter_pb2.RegisterLetterRequest(**about))
call(due.recipient, "CASE_OFFICER", letter_pb2.AcceptLinesRequest(**about))
while not call(due.recipient, "", case_pb2.GetCaseRequest(case_id=CASE_ID)).case.may_act:
    time.sleep(0.1)
print(f"{due.recipient} holds case {CASE_ID}")
