"""The house rules that a reader of any file may rely on."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.structure.syntax import syntax_of

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 300  # lines; a longer module is about more than one thing
VAGUE = frozenset({"utils", "helpers", "common", "base", "manager"})

# Where any exception at all has to be caught: path -> why. All other handlers name their type.
OUTERMOST: dict[str, str] = {
    "gateway/store/work.py": "undoes one part of a transaction, whatever it raised, and says so",
    "gateway/store/writer.py": "hands whatever a task raises to that task's own caller",
}

MODULES = sorted(
    path
    for room in ("adapters", "bench", "gateway", "tests")
    for path in (ROOT / room).rglob("*.py")
    if not path.is_relative_to(ROOT / "gateway/v1")  # generated
)

# Spelt so that neither pattern finds itself here.
OUTSIDE = re.compile(r"\.\.[/]shared|(?<![\w.}/-])/(?:home|root|work|Users)/\w")


def name_of(path: Path) -> str:
    """The path as a reader writes it, from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def kept_files() -> list[Path]:
    """Every file that is, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    return sorted(path for path in paths if path.is_file())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_short_and_says_what_it_is(path: Path) -> None:
    """A module written by hand has a docstring and at most 300 lines."""
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST
    assert ast.get_docstring(syntax_of(path)), "no module docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_name_says_something(path: Path) -> None:
    """Neither a module nor a package has a name that could hold anything."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    words = {word for part in parts for word in part.split("_")}
    assert not words & VAGUE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_handler_names_its_type(path: Path) -> None:
    """No handler catches whatever comes, except the listed outermost ones."""
    broad = [
        f"line {node.lineno}"
        for node in ast.walk(syntax_of(path))
        if isinstance(node, ast.ExceptHandler) and catches_anything(node.type)
    ]
    if name_of(path) in OUTERMOST:
        assert broad, "listed as outermost without need"
    else:
        assert not broad


def catches_anything(caught: ast.expr | None) -> bool:
    """Whether the type of a handler is missing, Exception or BaseException."""
    if caught is None:
        return True
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in types
    )


def test_repository_stands_alone() -> None:
    """No file names a place outside the repository: no neighbour folder, no one's home."""
    found = [
        f"{name_of(path)}:{number}"
        for path in kept_files()
        for number, line in enumerate(path.read_text("utf-8", "ignore").splitlines(), start=1)
        if OUTSIDE.search(line)
    ]
    assert not found


def test_lock_records_no_address() -> None:
    """The lock holds versions and hashes, never where a package was fetched from."""
    for lock in (ROOT / "requirements.lock", ROOT / "bench" / "requirements.lock"):
        assert "://" not in lock.read_text("utf-8")
    names = {path.name for path in kept_files()}
    assert not names & {"uv.lock", "package-lock.json", "poetry.lock", "pdm.lock"}
