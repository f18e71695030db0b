"""The one policy table: which roles may call each RPC, and which posts may act through it.

Deny by default: an RPC without a row is refused. On top of the row a caller reaches only what is
its own organisation's: every record is kept under it, so what belongs to others is not found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.entitlements import PUBLISHED
from gateway.domain.organisations import Post, Role


@dataclass(frozen=True)
class Rule:
    """Who may call. `posts` is empty for reads, which need no post. `guests`: organisations that
    are at home on another node may call too; what they may see is the use case's to say.
    """

    roles: frozenset[Role]
    posts: frozenset[Post] = frozenset()
    guests: bool = False


def _rule(*roles: Role, posts: tuple[Post, ...] = (), guests: bool = False) -> Rule:
    return Rule(frozenset(roles), frozenset(posts), guests)


_EDU, _SCH, _TWN = Role.EDU, Role.SCH, Role.TWN
_OFFICE = (Post.CASE_OFFICER, Post.APPROVER)
_SCHOOL_POSTS = (Post.HEAD_TEACHER, Post.REGISTRAR, Post.PRINCIPAL)
_EVERY_POST = tuple(post for post in Post if post not in {Post.SYSTEM, Post.OPERATOR})
_DECIDE = (Post.APPROVER, Post.PRINCIPAL, Post.TOWNSHIP_OFFICER, Post.AGENCY_OFFICER)
_ANYONE = _rule(*Role)
_SUBSCRIBES = _rule(*Role, posts=(*_EVERY_POST, Post.OPERATOR))
_OPERATES = _rule(*Role, posts=(Post.OPERATOR,))
_CASE_PARTIES = _rule(_EDU, _SCH, _TWN)
_EDU_ACTS = _rule(_EDU, posts=_OFFICE)
_APPROVES = _rule(_EDU, posts=(Post.APPROVER,))
_TOWNSHIP_ACTS = _rule(_TWN, posts=(Post.TOWNSHIP_OFFICER, Post.CASE_OFFICER))

POLICY: Mapping[str, Rule] = {
    # art. 4, 7: the head teacher reports; registrar and principal may for an absent colleague.
    "AbsenceService/ReportAbsence": _rule(_SCH, posts=_SCHOOL_POSTS),
    "AbsenceService/ReportAbsences": _rule(_SCH, posts=_SCHOOL_POSTS),
    "AbsenceService/GetAbsence": _CASE_PARTIES,
    "AbsenceService/ListAbsences": _CASE_PARTIES,
    "SubjectService/ResolveSubject": _rule(_EDU, _SCH, _TWN, posts=_EVERY_POST),
    "SubjectService/GetSubject": _CASE_PARTIES,
    "SubjectService/RequestHukou": _EDU_ACTS,
    "SubjectService/AssertHukou": _EDU_ACTS,
    "SubjectService/AssertEnrolment": _rule(_EDU, _SCH, posts=(*_OFFICE, *_SCHOOL_POSTS)),
    # art. 7, 14.4: the submission is the principal's own duty.
    "CaseService/SubmitSuspectedDropout": _rule(_SCH, posts=(Post.PRINCIPAL,)),
    "CaseService/ConfirmDropout": _EDU_ACTS,
    "CaseService/RefuteDropout": _EDU_ACTS,
    "CaseService/RecordWhereabouts": _rule(_EDU, _SCH, _TWN, posts=_EVERY_POST),
    "CaseService/RecordReturn": _rule(_SCH, posts=(Post.PRINCIPAL, Post.REGISTRAR)),
    "CaseService/GetCase": _CASE_PARTIES,
    "CaseService/ListCases": _CASE_PARTIES,
    "CaseService/GetTimeline": _CASE_PARTIES,
    "CaseService/ListTodo": _CASE_PARTIES,
    "JurisdictionService/Evaluate": _CASE_PARTIES,
    "JurisdictionService/Determine": _EDU_ACTS,
    "LetterService/CreateDraft": _EDU_ACTS,
    # 公文处理工作条例 art. 22: the head signs; drafting and signing are two posts.
    "LetterService/SignLetter": _APPROVES,
    "LetterService/DispatchLetter": _EDU_ACTS,
    "LetterService/RegisterLetter": _EDU_ACTS,
    "LetterService/AcceptLines": _EDU_ACTS,
    "LetterService/ReturnLines": _EDU_ACTS,
    "LetterService/NoteLetter": _EDU_ACTS,
    "LetterService/RetractLetter": _APPROVES,
    "LetterService/GetLetter": _rule(_EDU),
    "LetterService/ListLetters": _rule(_EDU),
    # art. 8: the county education bureau confirms the body and issues the order.
    "RetrievalService/ConfirmBody": _EDU_ACTS,
    "RetrievalService/IssueOrder": _EDU_ACTS,
    "RetrievalService/AcknowledgeOrder": _TOWNSHIP_ACTS,
    "RetrievalService/AssignOfficer": _TOWNSHIP_ACTS,
    "RetrievalService/RecordStep": _TOWNSHIP_ACTS,
    "RetrievalService/GetOrder": _rule(_EDU, _TWN),
    "RetrievalService/ListOrders": _rule(_EDU, _TWN),
    "PlacementService/ProposePlacement": _EDU_ACTS,
    "PlacementService/DecidePlacement": _EDU_ACTS,
    "PlacementService/StartPlacement": _rule(_SCH, posts=(Post.PRINCIPAL, Post.REGISTRAR)),
    "PlacementService/GetPlacement": _rule(_EDU, _SCH),
    "EventService/Subscribe": _ANYONE,
    "EventService/AckEvents": _SUBSCRIBES,
    "EventService/ListSubscribers": _ANYONE,
    "EventService/RejectEvent": _SUBSCRIBES,
    "EventService/ListRejectedEvents": _ANYONE,
    "EventService/RedeliverEvent": _SUBSCRIBES,
    "EventService/GetEvent": _ANYONE,
    "EventService/VerifyEvent": _ANYONE,
    "AgencyService/PushFacts": _rule(Role.PSB, Role.RRB, posts=(Post.AGENCY_OFFICER,)),
    "AgencyService/ListExchanges": _rule(Role.PSB, Role.RRB),
    "RecoveryService/GetRecovery": _ANYONE,
    # Two posts decide, one of them the operator's; which other one is the organisation's own matter.
    "RecoveryService/WaivePeer": _rule(*Role, posts=(*_DECIDE, Post.OPERATOR)),
    "RecoveryService/ListRecoveredFacts": _ANYONE,
    "RecoveryService/CheckRecoveredFact": _rule(*Role, posts=_EVERY_POST),
    "DeliveryService/ListDeadLetters": _ANYONE,
    "DeliveryService/RedriveDeadLetter": _OPERATES,
    "DeliveryService/DiscardDeadLetter": _OPERATES,
    "DeliveryService/ReconcileLanes": _ANYONE,
    "DivisionService/ResolveDivision": _ANYONE,
    "DivisionService/ListDivisions": _ANYONE,
    "DirectoryService/GetOrganisation": _ANYONE,
    "DirectoryService/ListOrganisations": _ANYONE,
    "DirectoryService/ListKeys": _ANYONE,
    "DirectoryService/ListEntitlements": _ANYONE,
    # The roles to which any kind is published; the entitlement decides.
    "FactService/ReplayFacts": _rule(*frozenset().union(*PUBLISHED.values()), guests=True),
}
"""RPC (without the package) -> rule. Complete against the descriptors, which a test holds."""
