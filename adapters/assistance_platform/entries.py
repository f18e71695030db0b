"""From an exchange to the columns of an entry. Pure; whatever has no column is refused."""

import re
from datetime import date

from adapters.assistance_platform.masking import holds_identity, unmasked_part
from adapters.assistance_platform.platform_mapping import (
    FieldMapping,
    Form,
    KindMapping,
    PlatformMapping,
)
from gateway.adapter_api import Exchange, Person

_DIVISION = re.compile(r"([1-9][0-9]{1,11})/")
_COUNTY_DIGITS = 6
LONGEST_TEXT = 64
"""Characters of a text that the platform takes; a longer one is no code or number of a document."""


class NotEnterable(Exception):
    """The exchange can never be entered; the text is one sentence without personal data."""


def county_of(organisation: str) -> str:
    """Return the 6-digit code under which the platform files what an organisation enters.

    Raises:
        NotEnterable: the text is not an organisation, for example `530102/edu`.
    """
    form = _DIVISION.match(organisation)
    if form is None:
        raise NotEnterable("The asking organisation has no division code.")
    return form[1][:_COUNTY_DIGITS].ljust(_COUNTY_DIGITS, "0")


def columns_of(exchange: Exchange, mapping: PlatformMapping) -> dict[str, object]:
    """Return what the entry of an exchange holds, by column, but for number, time and serial.

    Raises:
        NotEnterable: the kind, a field or its form is unknown, or an identity could be read.
    """
    kind = mapping.kinds.get(exchange.kind)
    if kind is None:
        raise NotEnterable("The platform carries out no exchange of that kind.")
    person = exchange.person or Person(masked=True)
    part = unmasked_part(person)
    if part:
        raise NotEnterable(f"The {part} is not masked; the platform sees a child masked only.")
    texts = (*exchange.fields.values(), exchange.object_id, exchange.subject_token)
    if holds_identity(texts):
        raise NotEnterable("A field holds an identity or telephone number.")
    common = mapping.entry
    return {
        common.matter: kind.code,
        common.object_id: exchange.object_id,
        common.external_reference: exchange.exchange_id,
        common.subject: exchange.subject_token,
        common.name: person.name,
        common.id_number: person.id_number,
        common.enrolment_number: person.enrolment_number,
        common.county: county_of(exchange.asked_by),
        **_field_columns(exchange, kind, mapping),
    }


def _field_columns(
    exchange: Exchange, kind: KindMapping, mapping: PlatformMapping
) -> dict[str, object]:
    unknown = sorted(set(exchange.fields) - set(kind.fields))
    missing = sorted(set(kind.fields) - set(exchange.fields))
    if unknown or missing:
        raise NotEnterable(
            f"An entry of that kind needs {_listed(missing)} and has no place for"
            f" {_listed(unknown)}."
        )
    return {
        field.column: _value(name, field, exchange.fields[name], mapping)
        for name, field in kind.fields.items()
    }


def _value(name: str, field: FieldMapping, text: str, mapping: PlatformMapping) -> object:
    match field.form:
        case Form.CODE if text in field.codes:
            return field.codes[text]
        case Form.COUNT if text.isascii() and text.isdecimal() and int(text[:9]) > 0:
            return int(text[:9])
        case Form.TEXT if len(text) <= LONGEST_TEXT:
            return text
        case Form.DATE:
            return mapping.local_time.write_date(_day(name, text))
        case _:
            raise NotEnterable(f"The field {name} does not have the form that the platform takes.")


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotEnterable(f"The field {name} is not a date such as 2026-11-23.") from None


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
