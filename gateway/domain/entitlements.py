"""Who may follow facts that others state, beyond the mail that is addressed to it.

Two things must hold: the kind is one that may be published to the follower's role at all (a table,
below), and the directory's authority has entered an entitlement that covers source, kind and time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId, Role

PUBLISHED: Mapping[FactKind, frozenset[Role]] = {
    FactKind.LETTER_LINES_ACCEPTED: frozenset({Role.EDU, Role.SUP}),
    FactKind.LETTER_NOTED: frozenset({Role.EDU, Role.SUP}),
    FactKind.TITLE_GRANTED: frozenset({Role.EDU, Role.SUP}),
    # Its source tells the township: not for bureaus above, which see the child as a token (D.6).
    FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED: frozenset({Role.SUP}),
    FactKind.RETRIEVAL_ORDER_FULFILLED: frozenset({Role.EDU, Role.SUP, Role.RRB}),
    # Both tell the school: for supervision (D.6) and the platform, which is told of them anyway.
    FactKind.STUDENT_RETURNED: frozenset({Role.SUP, Role.RRB}),
    FactKind.PLACEMENT_STARTED: frozenset({Role.SUP, Role.RRB}),
}
"""Kinds that may be published, and the roles that may follow each.

The signed event of every kind here is codes and tokens by its very form; no officer types words
into it, and its private parts stay behind. A kind that is absent is never published: that somebody
is looked for, where a child is, why it stopped coming or who was asked about it is a disclosure
even without a name.
"""

MOST_PURPOSE = 200
"""Longest purpose, characters."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One entry of the directory.

    Attributes:
        organisation: who may follow.
        division: facts stated by organisations in this division and below.
        kinds: the kinds of facts.
        not_before: from when on, aware UTC, inclusive.
        not_after: until when, aware UTC, exclusive.
        purpose: the duty it serves, with its article; no personal data.
    """

    organisation: OrgId
    division: str
    kinds: frozenset[FactKind]
    not_before: datetime
    not_after: datetime
    purpose: str

    def holds(self, at: datetime) -> bool:
        """Say whether it is in force at a moment."""
        return self.not_before <= at < self.not_after

    def covers(self, source: OrgId, kind: FactKind) -> bool:
        """Say whether it is about facts of that kind from that source."""
        # Division codes are cut at fixed places, so that a shorter one is above a longer one.
        return kind in self.kinds and source.division.startswith(self.division)

    @property
    def forbidden(self) -> frozenset[FactKind]:
        """Kinds in it that may not be published to the organisation's role."""
        role = self.organisation.role
        return frozenset(kind for kind in self.kinds if role not in PUBLISHED.get(kind, ()))


def may_follow(
    entitlements: Iterable[Entitlement],
    organisation: OrgId,
    source: OrgId,
    kind: FactKind,
    at: datetime,
) -> bool:
    """Say whether an organisation may follow the facts of one kind from one source."""
    return any(
        one.organisation == organisation and one.holds(at) and one.covers(source, kind)
        for one in entitlements
        if organisation.role in PUBLISHED.get(kind, ())
    )


def followed_kinds(
    entitlements: Iterable[Entitlement], source: OrgId, at: datetime
) -> frozenset[FactKind]:
    """Return the kinds of a source's facts that anybody may follow; others are not published."""
    return frozenset(
        kind
        for one in entitlements
        if one.holds(at)
        for kind in one.kinds - one.forbidden
        if one.covers(source, kind)
    )
