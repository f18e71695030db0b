"""Reading divisions and the directory."""

from collections.abc import Sequence
from typing import TypeVar

from gateway.codec import enums, fields
from gateway.codec.entitlements import encode_entitlement
from gateway.domain.divisions import Division, Status
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import PublicKey
from gateway.domain.organisations import Organisation
from gateway.service.desk import Desk
from gateway.v1 import directory_pb2, division_pb2

T = TypeVar("T")


def resolve_division(
    desk: Desk, request: division_pb2.ResolveDivisionRequest
) -> division_pb2.ResolveDivisionResponse:
    """DivisionService.ResolveDivision."""
    code = fields.text(request.code, "code", 12, required=True)
    at = fields.day(request.at, "at") if request.at else desk.today
    found = desk.tools.divisions.resolve(code, at)
    return division_pb2.ResolveDivisionResponse(
        division=_division(found.division),
        current=found.status is Status.CURRENT,
        successors=[
            _division(division)
            for code in found.chain[1:]
            if (division := desk.tools.divisions.get(code)) is not None
        ],
        superiors=[_division(d) for d in desk.tools.divisions.superiors(found.current.code)],
    )


def list_divisions(
    desk: Desk, request: division_pb2.ListDivisionsRequest
) -> division_pb2.ListDivisionsResponse:
    """DivisionService.ListDivisions."""
    parent = fields.text(request.parent, "parent", 12, required=True)
    found = sorted(desk.tools.divisions.children(parent), key=lambda d: d.code)
    page, token = _page(
        [(division.code, division) for division in found], request.page_size, request.page_token
    )
    return division_pb2.ListDivisionsResponse(
        divisions=[_division(division) for division in page], next_page_token=token
    )


def get_organisation(
    desk: Desk, request: directory_pb2.GetOrganisationRequest
) -> directory_pb2.GetOrganisationResponse:
    """DirectoryService.GetOrganisation."""
    org = fields.organisation(request.organisation, "organisation")
    return directory_pb2.GetOrganisationResponse(
        organisation=_organisation(desk.organisation(org, "organisation")),
        directory_version=desk.tools.directory.version,
    )


def list_organisations(
    desk: Desk, request: directory_pb2.ListOrganisationsRequest
) -> directory_pb2.ListOrganisationsResponse:
    """DirectoryService.ListOrganisations."""
    found = [
        (str(org.id), org)
        for org in desk.tools.directory.organisations()
        if org.id.division.startswith(request.division) and request.role in {"", org.id.role.value}
    ]
    page, token = _page(sorted(found, key=lambda f: f[0]), request.page_size, request.page_token)
    return directory_pb2.ListOrganisationsResponse(
        organisations=[_organisation(org) for org in page],
        next_page_token=token,
        directory_version=desk.tools.directory.version,
    )


def list_keys(desk: Desk, request: directory_pb2.ListKeysRequest) -> directory_pb2.ListKeysResponse:
    """DirectoryService.ListKeys."""
    org = fields.organisation(request.organisation, "organisation")
    desk.organisation(org, "organisation")
    keys = list(desk.tools.directory.keys_of(org))
    numbered = [(f"{number:06}", key) for number, key in enumerate(keys)]
    page, token = _page(numbered, request.page_size, request.page_token)
    return directory_pb2.ListKeysResponse(keys=[_key(key) for key in page], next_page_token=token)


def list_entitlements(
    desk: Desk, request: directory_pb2.ListEntitlementsRequest
) -> directory_pb2.ListEntitlementsResponse:
    """DirectoryService.ListEntitlements."""
    wanted = (
        fields.organisation(request.organisation, "organisation") if request.organisation else None
    )
    numbered = [
        (f"{number:06}", one)
        for number, one in enumerate(desk.tools.directory.entitlements())
        if wanted in {None, one.organisation}
    ]
    page, token = _page(numbered, request.page_size, request.page_token)
    return directory_pb2.ListEntitlementsResponse(
        entitlements=[encode_entitlement(one) for one in page],
        next_page_token=token,
        directory_version=desk.tools.directory.version,
    )


def _page(rows: Sequence[tuple[str, T]], page_size: int, page_token: str) -> tuple[list[T], str]:
    """Return the rows after the token, and the token of the next page."""
    size = fields.page_size(page_size, 100, 500)
    if len(page_token) > 60:  # noqa: PLR2004 - longer than any code
        raise Refusal(
            Reason.INVALID_FIELD,
            "The page token is malformed.",
            "Send the token of the answer before, or none.",
            field="page_token",
        )
    rest = [row for row in rows if row[0] > page_token] if page_token else list(rows)
    token = rest[size - 1][0] if len(rest) > size else ""
    return [value for _, value in rest[:size]], token


def _division(division: Division) -> division_pb2.Division:
    return division_pb2.Division(
        code=division.code,
        name=division.name,
        level=enums.wire(division.level),
        parent=division.parent or "",
        valid_from=division.valid_from.isoformat() if division.valid_from else "",
        valid_to=division.valid_to.isoformat() if division.valid_to else "",
        successor=division.successor or "",
    )


def _organisation(org: Organisation) -> directory_pb2.Organisation:
    return directory_pb2.Organisation(
        organisation=str(org.id),
        name=org.name,
        superior=str(org.superior or ""),
        township=org.township or "",
        letter_mark=org.letter_mark,
        posts=org.posts,
        node=org.node,
    )


def _key(key: PublicKey) -> directory_pb2.PublicKey:
    return directory_pb2.PublicKey(
        key_id=key.key_id,
        organisation=str(key.owner),
        purpose=enums.wire(key.purpose),
        algorithm=enums.wire(key.algorithm),
        public_key=key.public_key,
        not_before=fields.timestamp(key.not_before),
        not_after=fields.timestamp(key.not_after),
        revoked_at=fields.timestamp(key.revoked_at),
        revocation_reason=key.revocation_reason,
    )
