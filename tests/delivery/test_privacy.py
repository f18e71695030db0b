"""Identity is in the vault and under seal, and nowhere else: searched byte by byte for canaries."""

import base64
import hashlib
import json
import sqlite3
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.domain.errors import Refusal
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.v1 import (
    absence_pb2,
    case_pb2,
    letter_pb2,
    placement_pb2,
    retrieval_pb2,
    subject_pb2,
)
from tests.delivery.inquiry import Inquiry
from tests.delivery.officers import TODAY, report_on
from tests.world.estate import (
    PLATFORM,
    POLICE,
    WUHUA,
    WUHUA_SCHOOL,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
    ZHENXIONG_TOWNSHIP,
)
from tests.world.province import Province

NAME, GUARDIAN, PHONE = "端木蒹葭", "端木岑参", "087100099877"


class Canary(Inquiry):
    """A child whose every word is found wherever it lies."""

    def __init__(self, province: Province) -> None:
        super().__init__(province, 7)
        self.child = replace(self.child, name=NAME, guardian_name=GUARDIAN, guardian_phone=PHONE)

    @property
    def secrets(self) -> dict[str, bytes]:
        """Return what must not be found, in every form in which it could lie somewhere."""
        child = self.child
        clear = (NAME, GUARDIAN, PHONE, child.id_number, child.enrolment_number)
        found: dict[str, bytes] = {}
        for text in clear:
            data = text.encode()
            found[text] = data
            found[f"{text} in UTF-16"] = text.encode("utf-16-le")
            found[f"{text} escaped"] = json.dumps(text).strip('"').encode()
            found[f"{text} in base64"] = base64.b64encode(data).rstrip(b"=")[:-1]
            found[f"{text} in hex"] = data.hex().encode()
            found[f"{text}, bare hash"] = hashlib.sha256(data).digest()
            found[f"{text}, bare hash in hex"] = hashlib.sha256(data).hexdigest().encode()
        return found

    def found_in(self, data: bytes) -> list[str]:
        """Return which secrets the bytes hold."""
        return [name for name, secret in self.secrets.items() if secret in data]


async def back_at_school(canary: Canary) -> None:
    """Play the story on, from the accepted letter to the placement."""
    province, act = canary.province, canary.act
    case_id = canary.case_id
    version = (await canary.case(ZHENXIONG)).version
    body = retrieval_pb2.ConfirmBodyRequest(case_id=case_id, version=version)
    version = (await act(ZHENXIONG, "RetrievalService/ConfirmBody", body)).case.version
    order = retrieval_pb2.IssueOrderRequest(
        case_id=case_id,
        version=version,
        township=str(ZHENXIONG_TOWNSHIP),
        instruction=f"请走访{NAME}家",
    )
    order_id = (await act(ZHENXIONG, "RetrievalService/IssueOrder", order)).order.order_id
    await province.settle()
    taken = retrieval_pb2.AcknowledgeOrderRequest(order_id=order_id)
    await act(ZHENXIONG_TOWNSHIP, "RetrievalService/AcknowledgeOrder", taken)
    step = retrieval_pb2.StepRecord(
        step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
        outcome=retrieval_pb2.STEP_OUTCOME_EFFECTIVE,
        date=TODAY,
        service=retrieval_pb2.SERVICE_METHOD_HOME_VISIT,
    )
    record = retrieval_pb2.RecordStepRequest(
        order_id=order_id, step=step, report=f"监护人{GUARDIAN}（{PHONE}）同意返校"
    )
    await act(ZHENXIONG_TOWNSHIP, "RetrievalService/RecordStep", record)
    await province.settle()
    school = placement_pb2.ProposePlacementRequest(case_id=case_id, school=str(ZHENXIONG_SCHOOL))
    await act(ZHENXIONG, "PlacementService/ProposePlacement", school)
    await province.settle()
    back = case_pb2.RecordReturnRequest(case_id=case_id, first_day_attended=TODAY)
    await act(ZHENXIONG_SCHOOL, "CaseService/RecordReturn", back, "PRINCIPAL")
    await province.settle()


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Return the list of everything that is logged, at any level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    with capture_logs() as captured:
        yield captured
    structlog.configure(**before)


@pytest.fixture
async def canary(province: Province, lines: list[Any]) -> Canary:
    """Return the canary after its whole story."""
    canary = Canary(province)
    await canary.settled("accepted")
    await back_at_school(canary)
    look_up = subject_pb2.ResolveSubjectRequest(
        identity=report_on(canary.child).subject.identity, guardian=report_on(canary.child).guardian
    )
    await canary.act(WUHUA_SCHOOL, "SubjectService/ResolveSubject", look_up)
    return canary


def copies(canary: Canary, target: Path) -> Iterator[Path]:
    """Yield a compacted copy of every node's database."""
    for node in canary.province.nodes.values():
        copy = target / f"{node.name}.copy"
        connection = sqlite3.connect(node.database)
        connection.execute("VACUUM INTO ?", (str(copy),))
        connection.close()
        yield copy


@pytest.mark.sqlite_alone
async def test_no_table_but_the_vault_holds_identity(canary: Canary, tmp_path: Path) -> None:
    """The whole file is searched, once the one column for identity is emptied; that column held it,
    and the index beside it holds no bare hash.
    """
    held = 0
    for copy in copies(canary, tmp_path):
        held += len(canary.found_in(copy.read_bytes()))
        connection = sqlite3.connect(copy)
        connection.execute("PRAGMA secure_delete=1")
        connection.execute("UPDATE vault_parts SET content = x''")
        connection.commit()
        connection.execute("VACUUM")
        connection.close()
        assert canary.found_in(copy.read_bytes()) == []
    assert held, "the canary was nowhere at all"


async def test_the_carrier_sees_no_identity(canary: Canary) -> None:
    """All that travelled is searched; it was sealed, for the receivers did get the name."""
    carried = b"\0".join(item for _, item in canary.province.bus.carried)
    assert canary.found_in(carried) == []
    assert "LETTER" not in carried.decode("latin-1")
    assert NAME.encode() in await vault_of(canary, ZHENXIONG)


async def vault_of(canary: Canary, org: OrgId) -> bytes:
    """Return everything in an organisation's vault, in one."""

    def read(work: Any) -> bytes:
        v = tables.vault_parts.c
        found = work._connection.execute(select(v.content).where(v.org == str(org)))
        return b"\0".join(found.scalars())

    return await canary.province.node_of[org].store.read(read)


async def test_each_role_gets_what_it_may_see(canary: Canary) -> None:
    """D.6: police the identity without the family, the platform a masked one, the new school and
    township all.
    """
    seen = {org: canary.found_in(await vault_of(canary, org)) for org in canary.province.node_of}
    assert {NAME, canary.child.id_number} <= set(seen[POLICE])
    assert not {GUARDIAN, PHONE} & set(seen[POLICE])
    assert seen[PLATFORM] == []
    assert await vault_of(canary, PLATFORM)
    for org in (WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP, ZHENXIONG_SCHOOL):
        assert {NAME, GUARDIAN, PHONE, canary.child.id_number} <= set(seen[org])


async def test_no_log_line_holds_identity(canary: Canary, lines: list[Any]) -> None:
    """Every line of the story, at every level."""
    assert len(lines) > 20
    logged = json.dumps(lines, ensure_ascii=False, default=str).encode()
    assert canary.found_in(logged) == []


def bad_reports(canary: Canary) -> Iterator[absence_pb2.ReportAbsenceRequest]:
    """Yield reports that are refused for something about the child or its family."""
    for wrong in (
        {"name": NAME * 20},
        {"name": f"{NAME}\u202e"},
        {"id_number": canary.child.id_number[:-1] + "?"},
        {"enrolment_number": "Z" + canary.child.id_number},
        {"birth_date": "1999-09-09"},
        {},  # reported before
    ):
        request = report_on(canary.child)
        for field, value in wrong.items():
            setattr(request.subject.identity, field, value)
        yield request
    request = report_on(canary.child)
    request.guardian.phone = f"{PHONE}x"
    yield request


async def test_no_refusal_holds_identity(canary: Canary) -> None:
    """Whatever is wrong with a child's papers, the answer and its trace repeat nothing of them."""
    acts: list[tuple[OrgId, str, Any]] = [
        (WUHUA_SCHOOL, "AbsenceService/ReportAbsence", request) for request in bad_reports(canary)
    ]
    draft = letter_pb2.CreateDraftRequest(recipient=NAME, case_ids=[canary.case_id])
    acts.append((ZHENXIONG, "LetterService/CreateDraft", draft))
    order = retrieval_pb2.IssueOrderRequest(case_id=NAME, township=canary.child.id_number)
    acts.append((ZHENXIONG, "RetrievalService/IssueOrder", order))
    told = []
    for org, method, request in acts:
        with pytest.raises(Refusal) as caught:
            await canary.act(org, method, request)
        refusal = caught.value
        told.append(refusal.reason)
        text = "\n".join(
            (
                repr(refusal),
                *(refusal.message, refusal.advice, refusal.field, repr(refusal.metadata)),
                *traceback.format_exception(refusal),
            )
        )
        assert canary.found_in(text.encode()) == [], refusal.reason
    assert len(set(told)) > 3
