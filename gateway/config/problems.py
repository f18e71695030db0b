"""From what pydantic found to sentences for the one who writes the file."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from gateway.config.sections import NodeConfig

Place = tuple[str | int, ...]
"""Where a setting stands: names of tables and keys, numbers of entries."""

_OWN: Final = "Value error, "
_CLOSE: Final = 0.5


def describe(error: ValidationError, twins: Mapping[Place, str]) -> list[str]:
    """Return one text for each problem, without any value, which may be a secret.

    Args:
        error: what the validation of a NodeConfig raised.
        twins: which places were set by which variable of the environment.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = [one["loc"] for one in found]
    texts: list[str] = []
    for one in found:
        place = one["loc"]
        inside = any(len(other) > len(place) and other[: len(place)] == place for other in places)
        # A list is also called too short when its only entry is wrong; that says nothing more.
        if not (inside and one["type"] == "too_short"):
            texts += _texts(one["type"], place, one["msg"], twins)
    return texts


def written(place: Place) -> str:
    """Return a place as it is written: `organisations[2].sign`; entries count from 1."""
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _texts(kind: str, place: Place, message: str, twins: Mapping[Place, str]) -> Iterator[str]:
    where = f"{written(place)}{_origin(place, twins)}"
    message = message.removeprefix(_OWN).rstrip(".")
    if not place:
        yield from (f"{line}." for line in message.splitlines())
    elif kind == "extra_forbidden":
        yield f"{where} is unknown. {_nearest(place)}"
    elif kind == "missing":
        yield f"{where} is missing. {_advice(place)}".rstrip()
    elif kind == "value_error" and _model(place) is not None:
        yield f"{where}: {message}."  # a rule of the whole table says itself what to do
    else:
        yield f"{where}: {message}. {_advice(place)}".rstrip()


def _origin(place: Place, twins: Mapping[Place, str]) -> str:
    """Name the variable that set the place, or something around or inside it."""
    for twin, variable in twins.items():
        shorter = min(len(twin), len(place))
        if twin[:shorter] == place[:shorter]:
            return f" (from {variable})"
    return ""


def _nearest(place: Place) -> str:
    """Name the table that has such a key, else the nearest key of this one, else all its keys."""
    table = _model(place[:-1])
    name = str(place[-1])
    elsewhere = [
        f"{section}.{name}"
        for section, field in NodeConfig.model_fields.items()
        if (inner := _inside(field.annotation)) and name in inner.model_fields
    ]
    if elsewhere:
        return f"Perhaps {' or '.join(elsewhere)} is meant."
    known = list(table.model_fields) if table else []
    close = get_close_matches(name, known, n=1, cutoff=_CLOSE)
    if close:
        return f"The nearest known key is {written((*place[:-1], close[0]))}."
    return f"Known here: {', '.join(known)}."


def _advice(place: Place) -> str:
    """Say what belongs at the place, with an example to copy."""
    field = _field(place)
    if field is None:
        return ""
    keys = [step for step in place if isinstance(step, str)]
    inner = _inside(field.annotation)
    if inner is not None:
        path = ".".join(keys)
        header = f"[[{path}]]" if get_origin(field.annotation) is tuple else f"[{path}]"
        return f"{field.description} Write a table {header} with {', '.join(inner.model_fields)}."
    example = field.examples[0] if field.examples else field.default
    return f"{field.description} Write, for example: {keys[-1]} = {json.dumps(example)}"


def _field(place: Place) -> FieldInfo | None:
    keys = [index for index, step in enumerate(place) if isinstance(step, str)]
    if not keys:
        return None
    table = _model(place[: keys[-1]])
    return table.model_fields.get(str(place[keys[-1]])) if table else None


def _model(place: Place) -> type[BaseModel] | None:
    model: type[BaseModel] | None = NodeConfig
    for step in place:
        if isinstance(step, str):
            field = model.model_fields.get(step) if model else None
            model = _inside(field.annotation) if field else None
    return model


def _inside(annotation: Any) -> type[BaseModel] | None:
    """Return the table that a field holds, alone, optional or as a list; None for plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_inside, get_args(annotation))), None)
