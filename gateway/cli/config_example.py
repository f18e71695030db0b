"""The commented example of a node's settings, made from the sections themselves. Pure."""

import json
from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.config import ENV_PREFIX, NodeConfig

_OPENING: Final = f"""\
# Settings of one node. A line that begins with # and no blank shows a default or an option.
# Relative paths are relative to this file. Each setting has a twin in the environment that wins:
# {ENV_PREFIX}STORE__URL is url under [store]. An unknown key is an error.
# Check with: gateway config check FILE
"""
_WANTED: Final = frozenset({"bus.url"})
"""What a file may do without only when something else stands in for it."""


def example_toml() -> str:
    """Return a complete file: what is required with an example, all else commented out."""
    lines = [_OPENING]
    for name, field in NodeConfig.model_fields.items():
        lines += _table(name, field, optional=False)
    return "\n".join(lines)


def _table(path: str, field: FieldInfo, *, optional: bool) -> Iterator[str]:
    section, many = section_of(field.annotation)
    mark = "#" if optional else ""
    yield f"# {field.description}"
    yield f"{mark}[[{path}]]" if many else f"{mark}[{path}]"
    tables = []
    for name, inner in section.model_fields.items():
        if _has_section(inner.annotation):
            tables.append((name, inner))
            continue
        yield f"# {inner.description}"
        value = inner.examples[0] if inner.examples else inner.default
        wanted = inner.is_required() or f"{path}.{name}" in _WANTED
        yield f"{mark or ('' if wanted else '#')}{name} = {_written(value)}"
    yield ""
    for name, inner in tables:
        yield from _table(f"{path}.{name}", inner, optional=optional or not inner.is_required())


def section_of(annotation: Any) -> tuple[type[BaseModel], bool]:
    """Return the section that an annotation holds, and whether it holds many.

    Raises:
        LookupError: it holds none.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        if _has_section(inner):
            return section_of(inner)[0], get_origin(annotation) is tuple
    raise LookupError("no section")


def _has_section(annotation: Any) -> bool:
    try:
        section_of(annotation)
    except LookupError:
        return False
    return True


def _written(value: object) -> str:
    """Write a value as TOML; texts, numbers, truth values and lists are as in JSON."""
    if isinstance(value, dict):
        pairs = (f"{key} = {_written(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value, ensure_ascii=False)
