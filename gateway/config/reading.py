"""Reading the file and the environment, and saying everything that is wrong with them at once."""

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gateway.config.problems import Place, describe
from gateway.config.sections import NodeConfig
from gateway.config.values import HOME

ENV_PREFIX: Final = "GATEWAY__"
"""What the environment twins begin with: GATEWAY__STORE__URL is `url` under `[store]`."""

_TABLES: Final = frozenset({"[", "{"})


class ConfigFault(Exception):
    """The settings cannot be used.

    Attributes:
        problems: one or two sentences each: where, what is wrong, what to write. No values, since
            they may be secrets.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def load_config(path: Path, env: Mapping[str, str] = os.environ) -> NodeConfig:
    """Read a node's settings; a twin in the environment wins over the file.

    Lists and tables are written as JSON in the environment. Relative paths are relative to the
    file, whichever of the two they come from.

    Raises:
        ConfigFault: with every problem found.
    """
    tree = _tables(path)
    twins, problems = _overlay(tree, env)
    context = {HOME: path.resolve().parent}
    try:
        config = NodeConfig.model_validate(tree, context=context)
    except ValidationError as error:
        problems += describe(error, twins)
        raise ConfigFault(problems) from None
    if problems:
        raise ConfigFault(problems)
    return config


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigFault([f"The file {path} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise ConfigFault([f"The file {path} is not UTF-8 text."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault([f"The file {path} is no TOML: {error}."]) from None


def _overlay(tree: dict[str, Any], env: Mapping[str, str]) -> tuple[dict[Place, str], list[str]]:
    """Put the twins into the tree; return which place came from which, and what did not fit."""
    twins: dict[Place, str] = {}
    problems: list[str] = []
    for variable in sorted(name for name in env if name.startswith(ENV_PREFIX)):
        place = tuple(variable.removeprefix(ENV_PREFIX).lower().split("__"))
        text = env[variable]
        value: object = text
        if text[:1] in _TABLES:
            # What is no JSON stays text: `[::1]:50051` is an address.
            with suppress(json.JSONDecodeError):
                value = json.loads(text)
        table = tree
        for step in place[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                problems.append(f"{variable} names no setting: {step} is no table.")
                break
        else:
            table[place[-1]] = value
            twins[place] = variable
    return twins, problems
