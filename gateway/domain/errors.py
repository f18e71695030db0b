"""The one tree of refusals: whatever the gateway declines, it declines with one of these codes.

    Exception
    +-- Refusal            a command or record declined; shown to the caller as it stands
        +-- Parked         not declined, but cannot take effect before something else arrives

Every code has a row in docs/reasons.md and in the status table of `gateway.transport`; the wire
form is `ErrorReason` in protos/gateway/v1/error.proto, with the same names.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Stable code of a refusal. Codes are added, never renamed."""

    MISSING_FIELD = "MISSING_FIELD"  # A required field is missing.
    INVALID_FIELD = "INVALID_FIELD"  # A field has a value outside its form or bounds.
    TOO_LARGE = "TOO_LARGE"  # The message is larger than the server takes.
    MALFORMED_REQUEST = "MALFORMED_REQUEST"  # Bytes that are no valid request.
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"  # The request_id was used before with other content.
    NOT_FOUND = "NOT_FOUND"  # No such object, or not one of the caller's.
    STALE_VERSION = "STALE_VERSION"  # The expected version is not the present one.
    STALE_EPOCH = "STALE_EPOCH"  # The act names a title that is no longer the present one.
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"  # The state machine has no such transition.
    LOG_DIVERGED = "LOG_DIVERGED"  # The log is not the one that the subscriber remembers.

    IDENTITY_REQUIRED = "IDENTITY_REQUIRED"  # No identity in the client certificate.
    NOT_AT_HOME = "NOT_AT_HOME"  # The organisation of the certificate is not at home on this node.
    WRONG_ROLE = "WRONG_ROLE"  # The organisation's role may not call this.
    WRONG_POST = "WRONG_POST"  # The post may not do this, or is not one of the organisation's.
    WRONG_JURISDICTION = "WRONG_JURISDICTION"  # The matter belongs to another place.
    UNKNOWN_ORGANISATION = "UNKNOWN_ORGANISATION"  # The organisation is not in the directory.
    NO_POLICY = "NO_POLICY"  # The method has no row in the policy table.
    PURPOSE_REQUIRED = "PURPOSE_REQUIRED"  # The identity asked for needs a purpose and a post.
    NOT_ENTITLED = "NOT_ENTITLED"  # No entitlement covers these facts now.
    # More calls, subscriptions or subscribers at once than one organisation may have.
    TOO_MANY = "TOO_MANY"

    BELOW_THRESHOLD = "BELOW_THRESHOLD"  # Fewer counted school days than the rule asks.
    MALFORMED_ABSENCE = "MALFORMED_ABSENCE"  # The reported days contradict each other.
    MALFORMED_ID_NUMBER = "MALFORMED_ID_NUMBER"  # Not a resident identity number (GB 11643).
    MALFORMED_ENROLMENT_NUMBER = "MALFORMED_ENROLMENT_NUMBER"  # Not an enrolment number 学籍号.
    MALFORMED_ORGANISATION = "MALFORMED_ORGANISATION"  # Not an organisation code.
    UNKNOWN_DIVISION = "UNKNOWN_DIVISION"  # No such division code.
    # A division code that is no longer valid; the successor is named.
    RETIRED_DIVISION = "RETIRED_DIVISION"
    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"  # The identifiers belong to different children.

    NOT_HOLDER = "NOT_HOLDER"  # Not the present holder of the case.
    CROSS_COUNTY_ORDER = "CROSS_COUNTY_ORDER"  # A retrieval order across the county line.
    SELF_LETTER = "SELF_LETTER"  # A letter to oneself.
    OFFER_OPEN = "OFFER_OPEN"  # The case has an open offer already.
    OFFER_ENDED = "OFFER_ENDED"  # The offer has ended.
    # This row of the jurisdiction table needs a person's decision.
    NEEDS_DECISION = "NEEDS_DECISION"
    HUKOU_UNKNOWN = "HUKOU_UNKNOWN"  # The household county is not known yet.
    WHEREABOUTS_UNKNOWN = "WHEREABOUTS_UNKNOWN"  # The whereabouts are not recorded yet.
    # The jurisdiction is not determined yet, or no such letter is due.
    LETTER_NOT_DUE = "LETTER_NOT_DUE"
    WRONG_LETTER_KIND = "WRONG_LETTER_KIND"  # The letter is of a kind that cannot be answered so.
    TITLE_UNKNOWN = "TITLE_UNKNOWN"  # The act rests on a title this store does not know yet.
    TITLE_INVALID = "TITLE_INVALID"  # The title chain does not hold together.
    BODY_NOT_CONFIRMED = "BODY_NOT_CONFIRMED"  # The retrieval body was not confirmed.
    STEP_OUT_OF_ORDER = "STEP_OUT_OF_ORDER"  # A step before the one that is due.
    MISSING_LEGAL_BASIS = "MISSING_LEGAL_BASIS"  # The step needs its legal basis.
    # The respondent of a step is the guardian, never the child.
    RESPONDENT_NOT_GUARDIAN = "RESPONDENT_NOT_GUARDIAN"
    CASE_EXISTS = "CASE_EXISTS"  # An open case for the child exists already.
    # The organisation's store lost its memory and gets it back from its peers.
    RECOVERING = "RECOVERING"

    ENVELOPE_MALFORMED = "ENVELOPE_MALFORMED"  # Bytes that are no signed envelope.
    PAYLOAD_TYPE_UNEXPECTED = "PAYLOAD_TYPE_UNEXPECTED"  # A payload type that is not expected here.
    KEY_UNKNOWN = "KEY_UNKNOWN"  # The key is not in the directory.
    KEY_WRONG_PURPOSE = "KEY_WRONG_PURPOSE"  # The key serves another purpose.
    KEY_NOT_YET_VALID = "KEY_NOT_YET_VALID"  # The key is not valid yet.
    KEY_EXPIRED = "KEY_EXPIRED"  # The key has expired.
    KEY_REVOKED = "KEY_REVOKED"  # The key was revoked.
    SIGNATURE_INVALID = "SIGNATURE_INVALID"  # The signature does not match the bytes.
    SIGNER_MISMATCH = "SIGNER_MISMATCH"  # The signer is not who the payload says.
    WRONG_RECEIVER = "WRONG_RECEIVER"  # Addressed to another organisation.
    ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"  # The source's role may not state such a fact.
    # The source may not state this fact for that place or case.
    JURISDICTION_NOT_ALLOWED = "JURISDICTION_NOT_ALLOWED"
    SEAL_BROKEN = "SEAL_BROKEN"  # The seal cannot be opened.
    PART_MISMATCH = "PART_MISMATCH"  # A private part does not match its commitment.
    PAYLOAD_INVALID = "PAYLOAD_INVALID"  # The payload does not parse or contradicts itself.
    EQUIVOCATION = "EQUIVOCATION"  # The same identifier or number came with other bytes.
    LANE_BROKEN = "LANE_BROKEN"  # An older message with a hash chain that does not fit.
    FROM_THE_FUTURE = "FROM_THE_FUTURE"  # The time stated lies more than ten minutes ahead.
    # The receiver knows nothing of the matter the event is about.
    MATTER_UNKNOWN = "MATTER_UNKNOWN"

    AGENCY_REFUSED = "AGENCY_REFUSED"  # The agency's system refused for good.
    # The agency is not connected, or no agency of that role is responsible.
    NO_AGENCY = "NO_AGENCY"

    UNAVAILABLE = "UNAVAILABLE"  # The server is too busy or a part of it is away; try again.
    INTERNAL = "INTERNAL"  # A fault of the server.
    # The store takes nothing just now: its disk is full, or its database is away; try again.
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"


class Refusal(Exception):
    """A command, record or message that is declined.

    `message` says in one sentence what is wrong, `advice` what to do next; both are shown to the
    caller and therefore hold no personal data. `metadata` holds facts that help to mend it (codes,
    dates, numbers). `field` is the path of the request field to blame, or empty.
    """

    def __init__(
        self, reason: Reason, message: str, advice: str, *, field: str = "", **metadata: str
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.advice = advice
        self.field = field
        self.metadata: dict[str, str] = metadata


class Parked(Refusal):
    """What cannot take effect yet, for example an act under a title that has not arrived."""
