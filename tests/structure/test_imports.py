"""Imports go one way, and the domain rests on nothing but the standard library."""

import ast
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.structure.syntax import syntax_of

ROOT = Path(__file__).resolve().parents[2]

# What the domain may name besides itself: values, types and arithmetic. No input or output.
# `datetime` and `uuid` are here for their types; the last test looks for their clock and chance.
PURE = frozenset(
    {
        "abc",
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "hmac",
        "itertools",
        "math",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
        "unicodedata",
        "uuid",
        "zoneinfo",
    }
)
DOMAIN = sorted((ROOT / "gateway/domain").rglob("*.py"))
CLOCKS_AND_CHANCE = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7"})


def test_contracts_hold() -> None:
    """Every import contract of pyproject.toml is kept, with no room left unplaced."""
    run = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_domain_imports_only_values(path: Path) -> None:
    """A domain module imports the domain and the pure part of the standard library."""
    names: list[str] = []
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    foreign = [name for name in names if not f"{name}.".startswith("gateway.domain.")]
    assert {name.partition(".")[0] for name in foreign} <= PURE


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_domain_takes_now_and_ids_as_arguments(path: Path) -> None:
    """A domain module calls no clock and draws no id."""
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS_AND_CHANCE, f"line {node.lineno}"
