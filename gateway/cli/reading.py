"""An answer as text: any message of the contract as lines of heading and value.

Enum values become words, times become Asia/Shanghai, bytes become hex. Nothing here knows a
particular message, except which fields are evidence for machines rather than for reading.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.cli.words import Language, heading, is_known, phrase, post, word
from gateway.v1.case_pb2 import Whereabouts
from gateway.v1.title_pb2 import Epoch

if TYPE_CHECKING:  # the compiled and the pure form of one thing
    from google._upb._message import EnumDescriptor as CompiledEnum
    from google._upb._message import FieldDescriptor as CompiledField

    Enum = EnumDescriptor | CompiledEnum
    Field = FieldDescriptor | CompiledField

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
INDENT = "  "

_FOR_MACHINES = frozenset(
    {"title_chain", "envelope", "public_key", "commitments", "head", "previous_head"}
)
_POSTS = frozenset({"actor_post", "officer_post", "paired_post", "signatory_post", "posts"})


def lines_of(message: Message, language: Language, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (heading, value) for what is set in a message; parts are indented below their heading.

    Truth values are always given, because "no" is an answer too.
    """
    name = message.DESCRIPTOR.name
    for field in message.DESCRIPTOR.fields:
        if field.name in _FOR_MACHINES or not _is_said(message, field, language):
            continue
        title = INDENT * depth + heading(_spoken_name(field, language), language, name)
        value = getattr(message, field.name)
        if _is_part(field):
            parts = list(value) if field.is_repeated else [value]
            for number, part in enumerate(parts, start=1):
                yield (f"{title} {number}" if len(parts) > 1 else title, "")
                yield from lines_of(part, language, depth + 1)
        else:
            yield (title, text_of(message, field.name, language))


def text_of(message: Message, name: str, language: Language) -> str:
    """Return one field as a short text, for a cell of a table.

    Raises:
        KeyError: the message has no such field.
    """
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.is_repeated:
        if field.message_type and field.message_type.GetOptions().map_entry:
            return clean(", ".join(f"{key}={text}" for key, text in sorted(value.items())))
        return ", ".join(_one(field, part, language) for part in value)
    if field.has_presence and not message.HasField(name):
        return ""
    return _one(field, value, language)


def summary_of(message: Message, language: Language) -> str:
    """Return a whole message in one line."""
    return "; ".join(
        f"{title.strip()}: {text}" for title, text in lines_of(message, language) if text
    )


def name_of_value(enum: "Enum", number: int) -> str:
    """Return the full name of an enum value; the number as text when it is not known here."""
    value = enum.values_by_number.get(number)
    return value.name if value else str(number)


def clean(text: str) -> str:
    """Replace control characters, so that no answer can steer the terminal."""
    return "".join(
        character if character == "\n" or unicodedata.category(character) != "Cc" else "\ufffd"
        for character in text
    )


def table_rows(
    items: Iterable[Message], columns: tuple[str, ...], language: Language
) -> Iterator[list[str]]:
    """Yield the cells of every item, one per column."""
    for item in items:
        yield [text_of(item, spoken(item, name, language), language) for name in columns]


def spoken(message: Message, name: str, language: Language) -> str:
    """Return the name of the field that says the same in the language, for example summary_zh."""
    twin = f"{name}_zh"
    return twin if language == "zh" and twin in message.DESCRIPTOR.fields_by_name else name


def _is_said(message: Message, field: "Field", language: Language) -> bool:
    """Whether a field is set and is not the twin in the other language."""
    fields = message.DESCRIPTOR.fields_by_name
    if field.name.endswith("_zh"):
        return language == "zh" and bool(getattr(message, field.name))
    if spoken(message, field.name, language) in fields and language == "zh":
        twin = f"{field.name}_zh"
        if twin in fields and getattr(message, twin):
            return False
    if field.has_presence:
        return bool(message.HasField(field.name))
    return field.type == FieldDescriptor.TYPE_BOOL or bool(getattr(message, field.name))


def _spoken_name(field: "Field", language: Language) -> str:
    return field.name.removesuffix("_zh") if language == "zh" else field.name


def _is_part(field: "Field") -> bool:
    kind = field.message_type
    short = {Timestamp.DESCRIPTOR.full_name, Epoch.DESCRIPTOR.full_name}
    return kind is not None and kind.full_name not in short and not kind.GetOptions().map_entry


def _one(field: "Field", value: Any, language: Language) -> str:
    """Return a single value of a field."""
    if isinstance(value, Timestamp):
        return value.ToDatetime(tzinfo=UTC).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Epoch):
        return f"{value.term}.{value.number}"
    if isinstance(value, Whereabouts):
        return f"{text_of(value, 'kind', language)} {clean(value.division)}".strip()
    if isinstance(value, Message):
        return summary_of(value, language)
    if field.enum_type:
        return word(name_of_value(field.enum_type, value), language) if value else ""
    return _scalar(field, value, language)


def _scalar(field: "Field", value: str | int | bytes, language: Language) -> str:
    """Return a value that is no message and no enum."""
    if isinstance(value, bool):
        return phrase("yes" if value else "no", language)
    if isinstance(value, bytes):
        return value.hex()
    text = clean(str(value))
    if field.name in _POSTS:
        return post(text, language)
    return word(text, language) if is_known(text) else text
