"""Who calls: read from the client certificate, never from the request; and may it?"""

from google.protobuf.message import Message
from grpc.aio import ServicerContext

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId, Post
from gateway.domain.spiffe import organisation_of
from gateway.service.desk import Actor, Tools
from gateway.transport.policy import POLICY


def caller_of(context: "ServicerContext[object, object]") -> OrgId:
    """Return the organisation that the client certificate names in its URI SAN.

    Raises Refusal(IDENTITY_REQUIRED) when it names none.
    """
    uris = context.auth_context().get("peer_uri", ())
    org = organisation_of([uri.decode("utf-8", "replace") for uri in uris])
    if org is None:
        raise Refusal(
            Reason.IDENTITY_REQUIRED,
            "The client certificate names no organisation.",
            "Call with the certificate that was issued for your organisation.",
        )
    return org


def admit(tools: Tools, method: str, org: OrgId, request: Message) -> Actor:
    """Check the caller against directory, home and the policy table; return who acts.

    Raises Refusal: UNKNOWN_ORGANISATION, NOT_AT_HOME, NO_POLICY, WRONG_ROLE or WRONG_POST.
    """
    rule = POLICY.get(method)
    if rule is None:
        raise Refusal(Reason.NO_POLICY, "This method is closed.", "Use a method of the contract.")
    entry = tools.directory.organisation(org)
    if entry is None:
        raise Refusal(
            Reason.UNKNOWN_ORGANISATION,
            f"{org} takes no part in the exchange.",
            "Have the directory's authority admit the organisation.",
        )
    if org not in tools.home and not rule.guests:
        raise Refusal(
            Reason.NOT_AT_HOME,
            f"{org} is not at home on this node.",
            "Call the node that is home to your organisation.",
            node=entry.node,
        )
    if org.role not in rule.roles:
        raise Refusal(
            Reason.WRONG_ROLE,
            f"An organisation of role {org.role} may not call {method}.",
            f"It is for: {', '.join(sorted(rule.roles))}.",
        )
    post = str(getattr(request, "actor_post", ""))
    if rule.posts or post:
        _check_post(post, entry.posts, rule.posts, method)
    return Actor(org, post)


def _check_post(
    post: str, appointed: tuple[str, ...], allowed: frozenset[Post], method: str
) -> None:
    if not post:
        raise Refusal(
            Reason.MISSING_FIELD,
            "actor_post is required: who acts inside the organisation.",
            f"Fill in one of: {', '.join(sorted(allowed))}.",
            field="actor_post",
        )
    if post not in appointed or (allowed and post not in allowed):
        raise Refusal(
            Reason.WRONG_POST,
            f"The post {post if post in Post.__members__ else 'given'} may not call {method}.",
            f"Posts that may: {', '.join(sorted(allowed & set(appointed)) or appointed)}.",
            field="actor_post",
        )
