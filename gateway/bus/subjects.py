"""Which subject and which durable consumer belong to an organisation. Pure.

A division code is cut at its tiers, so `530681/edu` has the mail subject
`dx.v1.mail.53.06.81.edu`, and publishes its facts, kind by kind, on subjects such as
`dx.v1.fact.title_granted.53.06.81.edu`. The server accepts a literal `*` or `>` as part of a published subject
and would store it, so every token is checked before it becomes part of one.
"""

import re
from itertools import pairwise

from gateway.domain.errors import Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId, Role

MAIL = "dx.v1.mail"
FACT = "dx.v1.fact"

_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,32}")
_TIERS = (0, 2, 4, 6, 9, 12)  # where a division code is cut: province, prefecture, county, ...


def checked_token(token: str) -> str:
    """Return the token when it can be one part of a subject.

    Raises:
        ValueError: it is empty, longer than 32, or has a character other than `0-9A-Za-z_-`.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("A subject token is 1 to 32 letters, digits, hyphens or underscores.")
    return token


def division_tokens(division: str) -> tuple[str, ...]:
    """Cut a canonical division code (2, 4, 6, 9 or 12 digits) into its tiers.

    Raises:
        ValueError: the code has another form.
    """
    if not (division.isascii() and division.isdigit() and len(division) in _TIERS[1:]):
        raise ValueError("A division code has 2, 4, 6, 9 or 12 digits.")
    return tuple(
        checked_token(division[start:end])
        for start, end in pairwise(_TIERS)
        if end <= len(division)
    )


def mail_subject(organisation: OrgId) -> str:
    """Return the subject of the organisation's letter-box."""
    return ".".join((MAIL, *_address(organisation)))


def fact_subject(source: OrgId, kind: FactKind) -> str:
    """Return the subject on which an organisation, and nobody else, publishes facts of a kind."""
    return ".".join((FACT, checked_token(kind.value), *_address(source)))


def fact_filter(division: str, kind: FactKind) -> str:
    """Return what matches facts of a kind from every organisation in a division and below.

    Raises:
        ValueError: not a canonical division code.
    """
    return ".".join((FACT, checked_token(kind.value), *division_tokens(division), ">"))


def fact_durable(follower: OrgId, division: str, kind: FactKind) -> str:
    """Return the name of the durable consumer with which an organisation follows such facts."""
    return "_".join(("fact", *_address(follower), kind.value, *division_tokens(division)))


def durable_name(organisation: OrgId) -> str:
    """Return the name of the organisation's durable consumer, such as `mail_53_06_81_edu`.

    It is as unique as the subject, because no token of an address holds an underscore.
    """
    return "_".join(("mail", *_address(organisation)))


def organisation_of(subject: str) -> OrgId:
    """Return the organisation whose letter-box a subject is: the inverse of `mail_subject`.

    Raises:
        ValueError: the subject is not that of a letter-box.
    """
    prefix, tokens = subject[: len(MAIL) + 1], subject[len(MAIL) + 1 :].split(".")
    digits = [token for token in tokens if token.isdigit() and len(token) < _UNIT_DIGITS]
    rest = tokens[len(digits) :]
    try:
        organisation = OrgId("".join(digits), Role(rest[0]), *rest[1:])
    except (Refusal, ValueError, IndexError, TypeError):
        raise ValueError("Not the subject of a letter-box.") from None
    if prefix != f"{MAIL}." or mail_subject(organisation) != subject:
        raise ValueError("Not the subject of a letter-box.")
    return organisation


_UNIT_DIGITS = 10  # 学校标识码; a tier has two or three


def _address(organisation: OrgId) -> tuple[str, ...]:
    tokens = [*division_tokens(organisation.division), checked_token(organisation.role.value)]
    if organisation.unit is not None:
        tokens.append(checked_token(organisation.unit))
    return tuple(tokens)
