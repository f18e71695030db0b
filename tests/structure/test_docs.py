"""The pages under docs/ say what the code says, and name only what exists."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import TABLE
from gateway.transport.methods import COMMANDS, PAGE_STREAMS, QUERIES, RECORD_STREAMS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

CELL = re.compile(r"^\| `?([A-Za-z]+\w*)`? ?[^|]*\|", re.MULTILINE)
PLACE = re.compile(r"`((?:gateway|adapters|protos|tests|docs)/[\w./-]+)(?:::(\w+))?`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text("utf-8")


def name_of(path: Path) -> str:
    """The path as a reader writes it, from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def messages() -> dict[str, dict[str, Any]]:
    """The messages of the regulation as they are kept for the page."""
    return tomllib.loads(page("messages.toml"))


def test_generated_tables_are_fresh() -> None:
    """Generating again yields byte for byte the pages as they are."""
    run = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_every_generated_section_is_there() -> None:
    """Each section of the generator stands on a page, closed and not empty."""
    begun = re.findall(r"<!-- generated: ([a-z-]+) -->\n\n\S", "".join(map(page, names())))
    ended = re.findall(r"<!-- end of ([a-z-]+) -->", "".join(map(page, names())))
    assert sorted(begun) == sorted(ended)
    source = (DOCS / "generate.py").read_text("utf-8")
    made = source.partition("SECTIONS: ")[2]
    assert set(begun) == set(re.findall(r'^    "([a-z-]+)": ', made, re.MULTILINE))


def names() -> list[str]:
    """The pages, as `page` takes them."""
    return [path.relative_to(DOCS).as_posix() for path in PAGES]


@pytest.mark.parametrize(
    ("letter", "digits", "last"), [("J", 1, 17), ("M", 2, 36), ("B", 2, 35), ("p", 1, 9)]
)
def test_every_rule_has_its_row(letter: str, digits: int, last: int) -> None:
    """Each id of J, M, B and p begins exactly one row of the rules."""
    wanted = [f"{letter}{number:0{digits}}" for number in range(1, last + 1)]
    found = [name for name in CELL.findall(page("rules.md")) if re.fullmatch(letter + r"\d+", name)]
    assert sorted(found) == sorted(wanted)


def test_every_row_of_the_table_has_an_id_of_the_rules() -> None:
    """The code's jurisdiction rows are J1 to J17."""
    assert {row.id for row in TABLE} == {f"J{number}" for number in range(1, 18)}


def test_every_edge_case_says_whether_it_is_carried() -> None:
    """Each row of B ends with now, in part (and what), or later."""
    rows = re.findall(r"^\| (B\d\d) \|.*\| ([^|]*) \|$", page("rules.md"), re.MULTILINE)
    assert len(rows) == 35
    assert [row for row in rows if not re.fullmatch(r"now|later|in part: .+", row[1])] == []


def test_every_deadline_is_marked_as_policy() -> None:
    """The deadlines stand under one sentence that calls them policy, and none is called law."""
    section = page("rules.md").partition("## p: deadlines")[2].partition("\n## ")[0]
    assert "All of them are **policy**" in section
    assert "**law**" not in section


def test_messages_name_what_exists() -> None:
    """A carried message names kinds of facts and RPCs of this release; others say what is instead."""
    rpcs = {*COMMANDS, *QUERIES, *RECORD_STREAMS, *PAGE_STREAMS}
    for name, entry in messages().items():
        assert ("facts" in entry) != ("instead" in entry), name
        assert set(entry.get("facts", ())) <= set(FactKind.__members__), name
        assert set(entry.get("rpcs", ())) <= rpcs, name


def test_every_fact_is_accounted_for() -> None:
    """Each kind of fact carries a message of the regulation, or the page says why it carries none."""
    carrying = {fact for entry in messages().values() for fact in entry.get("facts", ())}
    between = page("rules.md").partition("## M: messages")[2].partition("## B: ")[0]
    explained = set(CODE.findall(between.partition("<!-- end of messages -->")[2]))
    assert carrying | explained >= set(FactKind.__members__)


def test_every_reason_has_meaning_status_and_advice() -> None:
    """Each reason has one complete row among the reasons, and there is no row of another."""
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| `[A-Z_]+` \| ([^|]+) \| ([^|]+) \|$", page("reasons.md"), re.MULTILINE
    )
    assert sorted(row[0] for row in rows) == sorted(Reason.__members__)
    for name, meaning, advice in rows:
        assert meaning.endswith("."), name
        assert advice.endswith("."), name


def test_glossary_lists_only_what_the_code_has() -> None:
    """Each identifier of the glossary occurs in the code or in the contract."""
    sources = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "protos").rglob("*.proto")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    by_hand = page("glossary.md").partition("## Roles")[0]
    listed = set(CODE.findall(by_hand))
    assert len(listed) > 100
    assert listed - words == set()


def test_glossary_has_no_term_twice() -> None:
    """A Chinese term has one row."""
    terms = re.findall(r"^\| ([^|]+) \| [^|]+ \| `", page("glossary.md"), re.MULTILINE)
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_name_what_exists(path: Path) -> None:
    """Each file, test or function that a page names as a path is there, and each link leads on."""
    text = path.read_text("utf-8")
    for place, function in PLACE.findall(text):
        assert (ROOT / place).exists(), place
        if function:
            assert f"def {function}(" in (ROOT / place).read_text("utf-8"), function
    for target in LINK.findall(text):
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=name_of)
def test_decisions_are_short_and_complete(path: Path) -> None:
    """A record has context, decision and consequences, at most 25 lines, and a row in the list."""
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.name[:4]}: ")
    for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
        assert part in text
    assert len(text.splitlines()) <= 25
    assert f"]({path.name})" in (path.parent / "README.md").read_text("utf-8")
