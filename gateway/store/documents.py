"""Aggregates as JSON documents: pydantic reads the domain's own dataclasses, nothing is repeated."""

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_document(kind: type[T], value: T) -> bytes:
    """Serialise an aggregate, leaving out fields that have their default."""
    return _adapter(cast("Any", kind)).dump_json(value, exclude_defaults=True)


def from_document(kind: type[T], document: bytes) -> T:
    """Read an aggregate back. Raises pydantic.ValidationError when the document is damaged."""
    return cast("T", _adapter(cast("Any", kind)).validate_json(document))
