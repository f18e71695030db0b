"""Who calls: certificates, roles, posts, and records that belong to others."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.crypto import certificates
from gateway.crypto.certificates import Issued, Validity
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.v1 import (
    absence_pb2,
    case_pb2,
    directory_pb2,
    letter_pb2,
    retrieval_pb2,
    subject_pb2,
)
from tests.world.clients import PATIENCE, Refused, refusal_of
from tests.world.estate import (
    POLICE,
    SHUIFU,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
    ZHENXIONG_TOWNSHIP,
)
from tests.world.running import RunningProvince
from tests.world.story import Story

DENIED = grpc.StatusCode.PERMISSION_DENIED
NOW = datetime.now(UTC)
GOOD = Validity(NOW - timedelta(days=1), NOW + timedelta(days=1))
PAST = Validity(NOW - timedelta(days=9), NOW - timedelta(days=1))
FUTURE = Validity(NOW + timedelta(days=1), NOW + timedelta(days=9))


def authority(world: RunningProvince) -> Issued:
    """The authority whose client certificates the nodes accept."""
    return Issued(
        (world.directory / "ca.pem").read_bytes(), (world.directory / "ca.key.pem").read_bytes()
    )


def list_keys(world: RunningProvince, mine: Issued | None) -> grpc.RpcError:
    """Call 五华区's node with a certificate, or none; return the error."""
    ca = (world.directory / "ca.pem").read_bytes()
    credentials = (
        grpc.ssl_channel_credentials(ca, mine.key, mine.certificate)
        if mine
        else grpc.ssl_channel_credentials(ca)
    )
    with grpc.secure_channel(world.nodes["wuhua"].address, credentials) as channel:
        stub = channel.unary_unary(
            "/gateway.v1.DirectoryService/ListKeys",
            request_serializer=directory_pb2.ListKeysRequest.SerializeToString,
            response_deserializer=directory_pb2.ListKeysResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as caught:
            stub(directory_pb2.ListKeysRequest(organisation=str(WUHUA)), timeout=PATIENCE)
    return caught.value


def certificate_for(world: RunningProvince, uri: str) -> Issued:
    """A good client certificate with another name in it."""
    return certificates._issue(
        authority(world),
        "client",
        [x509.UniformResourceIdentifier(uri)],
        ExtendedKeyUsageOID.CLIENT_AUTH,
        GOOD,
    )


@pytest.mark.fault("M6")
def test_no_certificate(world: RunningProvince) -> None:
    """Without a client certificate there is no handshake."""
    assert list_keys(world, None).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.fault("M6")
@pytest.mark.parametrize("validity", [PAST, FUTURE], ids=["expired", "not yet valid"])
def test_certificate_out_of_its_time(world: RunningProvince, validity: Validity) -> None:
    """An expired certificate, or one that is not valid yet, ends the handshake."""
    mine = certificates.issue_organisation(authority(world), WUHUA, validity)
    assert list_keys(world, mine).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.fault("M6")
def test_certificate_of_another_authority(world: RunningProvince) -> None:
    """A certificate with the right name from a foreign authority ends the handshake."""
    foreign = certificates.make_ca(GOOD)
    mine = certificates.issue_organisation(foreign, WUHUA, GOOD)
    assert list_keys(world, mine).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.fault("M6")
def test_server_certificate_is_no_client(world: RunningProvince) -> None:
    """The broker's own certificate opens nothing: it is not for clients."""
    mine = certificates.issue_broker(authority(world), GOOD)
    assert list_keys(world, mine).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "uri", ["spiffe://elsewhere/org/530102/edu", "https://530102.example/edu", "spiffe://x"]
)
def test_certificate_that_names_no_organisation(world: RunningProvince, uri: str) -> None:
    """A good certificate without an organisation of ours: IDENTITY_REQUIRED."""
    refused = refusal_of(list_keys(world, certificate_for(world, uri)))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        Reason.IDENTITY_REQUIRED,
    )


def test_organisation_of_another_node(world: RunningProvince) -> None:
    """A certificate of 镇雄 at the node of 五华区: NOT_AT_HOME, and which node is."""
    request = directory_pb2.ListKeysRequest(organisation=str(WUHUA))
    address = world.nodes["wuhua"].address
    refused = world.clients.refused(ZHENXIONG, "DirectoryService/ListKeys", request, at=address)
    assert (refused.code, refused.reason) == (DENIED, Reason.NOT_AT_HOME)
    assert refused.facts == {"node": "zhenxiong"}


def test_organisation_that_nobody_listed(world: RunningProvince) -> None:
    """A good certificate of an organisation that is not in the directory."""
    mine = certificates.issue_organisation(authority(world), OrgId.parse("530629/edu"), GOOD)
    refused = refusal_of(list_keys(world, mine))
    assert refused.reason is Reason.UNKNOWN_ORGANISATION


def test_wrong_role(world: RunningProvince, story: Story) -> None:
    """What is for others to do: a bureau reports no absence, a school confirms no dropout."""
    story.confirmed()
    for org, method, request in (
        (WUHUA, "AbsenceService/ReportAbsence", story.report()),
        (WUHUA_TOWNSHIP, "CaseService/ConfirmDropout", case_pb2.ConfirmDropoutRequest()),
        (WUHUA_SCHOOL, "LetterService/CreateDraft", letter_pb2.CreateDraftRequest()),
        (POLICE, "CaseService/ListCases", case_pb2.ListCasesRequest()),
    ):
        refused = world.refused(org, method, request)
        assert (refused.code, refused.reason) == (DENIED, Reason.WRONG_ROLE)
        assert method in refused.message


def test_wrong_post(world: RunningProvince, story: Story) -> None:
    """The right organisation by the wrong hand: only the principal submits, only an approver
    signs; a post that the organisation has not appointed may do nothing; and none at all is asked
    for.
    """
    story.reported()
    submit = case_pb2.SubmitSuspectedDropoutRequest(
        absence_id=story.absence_id, recipients=[str(WUHUA)]
    )
    sign = letter_pb2.SignLetterRequest(letter_id=story.absence_id)
    for org, method, request, post, allowed in (
        (WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", submit, "HEAD_TEACHER", "PRINCIPAL"),
        (WUHUA, "LetterService/SignLetter", sign, "CASE_OFFICER", "APPROVER"),
        (WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", submit, "MAYOR", "PRINCIPAL"),
    ):
        refused = world.refused(org, method, request, post)
        assert (refused.code, refused.reason, refused.field) == (
            DENIED,
            Reason.WRONG_POST,
            "actor_post",
        )
        assert allowed in refused.advice
    submit.actor_post = ""
    refused = world.refused(WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", submit, "")
    assert (refused.reason, refused.field) == (Reason.MISSING_FIELD, "actor_post")


def test_wrong_jurisdiction(world: RunningProvince, story: Story) -> None:
    """A school submits to its own county only; only the township under order carries it out."""
    story.reported()
    submit = case_pb2.SubmitSuspectedDropoutRequest(
        absence_id=story.absence_id, recipients=[str(WUHUA), str(ZHENXIONG_TOWNSHIP)]
    )
    refused = world.refused(WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", submit, "PRINCIPAL")
    assert (refused.code, refused.reason, refused.field) == (
        DENIED,
        Reason.WRONG_JURISDICTION,
        "recipients",
    )
    submit.recipients[1] = str(ZHENXIONG)
    refused = world.refused(WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", submit, "PRINCIPAL")
    assert refused.reason is Reason.WRONG_JURISDICTION


def test_records_of_others_do_not_exist(world: RunningProvince, story: Story) -> None:
    """Case, letter, order, report and child of another: NOT_FOUND, exactly as for an identifier
    that nobody ever gave.
    """
    story.handed_over(ZHENXIONG)
    order = story.ordered(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    subject_id = story.case(WUHUA).subject_id
    nobody = "0190a2b8-0000-7000-8000-000000000000"

    def look(case: str, letter: str, order_id: str, absence: str, subject: str) -> list[Refused]:
        return [
            world.refused(SHUIFU, method, request, post)
            for method, request, post in (
                ("CaseService/GetCase", case_pb2.GetCaseRequest(case_id=case), ""),
                ("CaseService/GetTimeline", case_pb2.GetTimelineRequest(case_id=case), ""),
                (
                    "CaseService/RecordWhereabouts",
                    case_pb2.RecordWhereaboutsRequest(
                        case_id=case,
                        whereabouts=case_pb2.Whereabouts(
                            kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY
                        ),
                    ),
                    "CASE_OFFICER",
                ),
                ("LetterService/GetLetter", letter_pb2.GetLetterRequest(letter_id=letter), ""),
                (
                    "LetterService/RegisterLetter",
                    letter_pb2.RegisterLetterRequest(letter_id=letter),
                    "CASE_OFFICER",
                ),
                (
                    "RetrievalService/GetOrder",
                    retrieval_pb2.GetOrderRequest(order_id=order_id),
                    "",
                ),
                (
                    "AbsenceService/GetAbsence",
                    absence_pb2.GetAbsenceRequest(absence_id=absence),
                    "",
                ),
                (
                    "SubjectService/GetSubject",
                    subject_pb2.GetSubjectRequest(subject_id=subject),
                    "",
                ),
            )
        ]

    real = look(story.case_id, story.letter_id, order.order_id, story.absence_id, subject_id)
    invented = look(nobody, nobody, nobody, nobody, nobody)

    assert {(one.code, one.reason) for one in real} == {
        (grpc.StatusCode.NOT_FOUND, Reason.NOT_FOUND)
    }
    assert real == invented
