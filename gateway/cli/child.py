"""The child a command is about: a token, identity by options, or a JSON file (better: no history).

The file holds one object in proto JSON, `PersonIdentity` with an optional `guardian`:

    {"name": "...", "id_number": "...", "enrolment_number": "...", "birth_date": "YYYY-MM-DD",
     "sex": "SEX_FEMALE", "guardian": {"name": "...", "phone": "...", "relation": "..."}}
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from gateway.cli.parameters import Day, read_text
from gateway.v1.subject_pb2 import GuardianContact, PersonIdentity

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Message)

_UNKNOWN = re.compile(r'has no field named "([A-Za-z_]{1,60})"')


def identity_options(function: F) -> F:
    """Add the options that identify a child."""
    for name, text, kind in reversed(
        (
            ("file", "JSON file with the identity, - for standard input. Preferred.", str),
            ("name", "Name as in the registry.", str),
            ("id-number", "Resident identity number, 18 characters.", str),
            ("enrolment-number", "Enrolment number 学籍号 (G, J or L and 18 characters).", str),
            ("birth-date", "Needed without identity number.", Day()),
        )
    ):
        function = click.option(f"--{name}", type=kind, help=text)(function)
    return function


def child_of(
    file: str | None,
    name: str | None,
    id_number: str | None,
    enrolment_number: str | None,
    birth_date: str | None,
) -> tuple[PersonIdentity, GuardianContact | None] | None:
    """Return identity and guardian as given; None when nothing was.

    Raises:
        click.UsageError: given both ways, or the file cannot be read or understood.
    """
    by_options = [name, id_number, enrolment_number, birth_date]
    if file and any(by_options):
        raise click.UsageError("Give the identity by --file or by options, not both.")
    if not file:
        if not any(by_options):
            return None
        identity = PersonIdentity(
            name=name or "",
            id_number=id_number or "",
            enrolment_number=enrolment_number or "",
            birth_date=birth_date or "",
        )
        return identity, None
    record = json_object(read_text(file), file)
    guardian = record.pop("guardian", None)
    identity = parsed(record, PersonIdentity(), file)
    return identity, None if guardian is None else parsed(guardian, GuardianContact(), file)


def json_object(text: str, place: str) -> dict[str, Any]:
    """Read one JSON object; `place` names the file or line in errors.

    Raises:
        click.UsageError: it is none.
    """
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(
            f"{place} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(record, dict):
        raise click.UsageError(f"{place} must hold one JSON object.")
    return record


def parsed(record: Any, message: M, place: str) -> M:
    """Fill a message from proto JSON.

    The error names no value, because values here are identity.

    Raises:
        click.UsageError: the record does not fit the message.
    """
    try:
        return ParseDict(record, message)
    except (ParseError, TypeError, AttributeError) as error:
        unknown = _UNKNOWN.search(str(error))
        why = f": it has no field {unknown[1]}" if unknown else ""
        kind = message.DESCRIPTOR.name
        raise click.UsageError(f"{place} does not fit {kind} of the contract{why}.") from None
