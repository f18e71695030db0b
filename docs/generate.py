"""Generates the tables in docs/ from the tables in the code, or checks that they are fresh.

A page says where a table stands with a pair of markers; all else on it is written by hand:

    <!-- generated: NAME -->
    <!-- end of NAME -->

    python docs/generate.py           write what differs
    python docs/generate.py --check   write nothing; exit 1 and name every page that differs
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.domain import absences, cases, letters, orders, placements
from gateway.domain.entitlements import PUBLISHED
from gateway.domain.errors import Reason
from gateway.domain.facts import RULES
from gateway.domain.four_steps import RANK
from gateway.domain.jurisdiction import RULE_VERSION, TABLE
from gateway.domain.organisations import POST_NAMES, ROLE_NAMES, Role
from gateway.domain.transitions import Machine
from gateway.domain.visibility import VISIBILITY
from gateway.transport.status_table import STATUS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SECTION = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)
PROTO_REASON = re.compile(r"((?: *//[^\n]*\n)+) *ERROR_REASON_([A-Z_]+) = (\d+);")

MACHINES: tuple[tuple[Machine[Any, Any], type[StrEnum], type[StrEnum]], ...] = (
    (absences.MACHINE, absences.AbsenceState, absences.AbsenceTrigger),
    (cases.MACHINE, cases.CaseState, cases.CaseTrigger),
    (letters.MACHINE, letters.LetterState, letters.LetterTrigger),
    (letters.LINE_MACHINE, letters.LineState, letters.LineTrigger),
    (orders.MACHINE, orders.OrderState, orders.OrderTrigger),
    (placements.MACHINE, placements.PlacementState, placements.PlacementTrigger),
)


def main() -> int:
    """Generate or check; the exit code is 0 when every page agrees with the code."""
    parser = argparse.ArgumentParser(description="Generate the tables in docs/.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check: bool = parser.parse_args().check

    differing = []
    for page in sorted(DOCS.rglob("*.md")):
        present = page.read_text("utf-8")
        fresh = refreshed(present)
        if fresh != present:
            differing.append(page.relative_to(ROOT).as_posix())
            if not check:
                page.write_text(fresh, "utf-8")
    if not check:
        print(f"docs: {len(differing)} pages written")
        return 0
    for name in differing:
        print(f"{name} is not what the code says; run: make docs", file=sys.stderr)
    return 1 if differing else 0


def refreshed(page: str) -> str:
    """Return the page with every generated section made anew.

    Raises:
        KeyError: a marker names no section.
    """

    def section(match: re.Match[str]) -> str:
        return f"{match['begin']}\n{SECTIONS[match['name']]()}\n\n{match['end']}"

    return SECTION.sub(section, page)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a Markdown table; an empty cell becomes a dash."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(
        "| " + " | ".join((cell or "–").replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def code(values: Iterable[str]) -> str:
    """Render values as code, comma-separated."""
    return ", ".join(f"`{value}`" for value in values)


def jurisdiction() -> str:
    """Rows in the order in which they are tried."""
    rows = [
        (
            row.id,
            row.responsible,
            ", ".join(f"{kind} {sender}→{receiver}" for kind, sender, receiver in row.letters),
            "law" if row.law else "policy",
            "yes" if row.decides else "needs decision",
            f"{row.why} {row.why_zh}",
            "; ".join(row.basis),
        )
        for row in TABLE
    ]
    headings = ("Row", "Responsible", "Letters due", "Rests on", "Decides", "Why", "Basis")
    return f"Version of the table: `{RULE_VERSION}`.\n\n{table(headings, rows)}"


def facts() -> str:
    """Who states each kind of fact and who is told."""
    rows = [
        (
            f"`{kind.name}` {rule.zh}",
            code(sorted(rule.sources)),
            ", ".join(rule.told),
            ", ".join(rule.passed_on),
            "yes" if rule.authority else "",
            ", ".join(article.rpartition(" ")[2] for article in rule.articles),
        )
        for kind, rule in RULES.items()
    ]
    headings = ("Fact", "Stated by", "Told", "Passed on by the holder to", "Authority", "Art.")
    return table(headings, rows)


def visibility() -> str:
    """Which role may see which private part."""
    roles = [role for role in Role if any(role in seen for seen in VISIBILITY.values())]
    rows = [
        (f"`{kind}`", *("yes" if role in seen else "" for role in roles))
        for kind, seen in VISIBILITY.items()
    ]
    return table(("Part", *(f"`{role}` {ROLE_NAMES[role]}" for role in roles)), rows)


def published() -> str:
    """Which kinds of facts may be followed by whom."""
    rows = [
        (f"`{kind.name}` {RULES[kind].zh}", code(sorted(RULES[kind].sources)), code(sorted(roles)))
        for kind, roles in PUBLISHED.items()
    ]
    return table(("Fact", "Stated by", "May be followed by"), rows)


def messages() -> str:
    """The messages of the regulation, carried or not."""
    carried, later = [], []
    with (DOCS / "messages.toml").open("rb") as file:
        entries: dict[str, dict[str, Any]] = tomllib.load(file)
    for name, entry in entries.items():
        front = (name, f"{entry['what']} {entry['zh']}", entry["articles"])
        if "facts" in entry:
            carried.append((*front, entry["due"], code(entry["facts"]), code(entry["rpcs"])))
        else:
            later.append((*front, entry["instead"]))
    return "\n".join(
        (
            "Carried by this release:\n",
            table(("Id", "Message", "Art.", "Due", "Facts", "RPCs"), carried),
            "\nNot in this release:\n",
            table(("Id", "Message", "Art.", "What stands in its place today"), later),
        )
    )


def steps() -> str:
    """The steps of art. 8 by rank."""
    ranks = sorted(set(RANK.values()))
    rows = [(str(rank), code(step for step in RANK if RANK[step] == rank)) for rank in ranks]
    return table(("Place", "Step"), rows)


def machines() -> str:
    """Every transition table; a trigger is `later` while no use case fires it."""
    rooms = ("gateway/service", "gateway/domain")
    source = "\n".join(p.read_text("utf-8") for room in rooms for p in (ROOT / room).rglob("*.py"))
    return "\n\n".join(
        machine_table(machine, states, triggers, source) for machine, states, triggers in MACHINES
    )


def machine_table(
    machine: Machine[Any, Any], states: type[StrEnum], triggers: type[StrEnum], source: str
) -> str:
    """Render one machine: a row for each trigger and the state it leads to."""
    leading: dict[tuple[str, str], list[str]] = {}
    for (state, trigger), target in machine.table.items():
        leading.setdefault((trigger, target), []).append(state)
    rows = []
    for (trigger, target), sources in leading.items():
        wide = states is cases.CaseState and set(sources) == set(cases.OPEN_STATES)
        fired = re.search(rf"\b{triggers.__name__}\.{trigger}\b", source)
        rows.append(
            (
                "every open state" if wide else code(sources),
                f"`{trigger}`",
                f"`{target}`",
                "now" if fired else "later",
            )
        )
    left = {state for state, _ in machine.table}
    final = code(state for state in states if state not in left)
    first = next(iter(states))
    return f"### {machine.name.capitalize()}\n\nBegins in `{first}`. Final: {final}.\n\n" + table(
        ("From", "Trigger", "To", "Fired"), rows
    )


def reasons() -> str:
    """Every reason with its status, meaning and advice, in the groups of the contract."""
    with (DOCS / "reasons_advice.toml").open("rb") as file:
        advice: dict[str, dict[str, str]] = tomllib.load(file)
    meanings = reason_meanings()
    parts = []
    for group, texts in advice.items():
        rows = [
            (f"`{name}`", f"`{STATUS[Reason(name)].name}`", meanings[name], text)
            for name, text in texts.items()
        ]
        parts.append(f"## {group}\n\n" + table(("Code", "gRPC status", "Meaning", "Do"), rows))
    return "\n\n".join(parts)


def reason_meanings() -> dict[str, str]:
    """Read the comment of every reason from the contract."""
    proto = (ROOT / "protos/gateway/v1/error.proto").read_text("utf-8")
    return {
        name: " ".join(line.strip(" /") for line in comment.splitlines())
        for comment, name, number in PROTO_REASON.findall(proto)
        if number != "0"
    }


def roles() -> str:
    """Roles with their Chinese names."""
    return table(("Code", "Chinese"), ((f"`{role}`", name) for role, name in ROLE_NAMES.items()))


def posts() -> str:
    """Posts with their Chinese names."""
    return table(("Code", "Chinese"), ((f"`{post}`", name) for post, name in POST_NAMES.items()))


def rooms() -> str:
    """The rooms, highest first, with the first sentence of each."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(c["layers"] for c in contracts if c["id"] == "rooms")
    rows = []
    for number, layer in enumerate(layers, start=1):
        for room in layer.split(" | "):
            path = ROOT / "gateway" / room
            module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            text = ast.get_docstring(ast.parse(module.read_bytes())) or ""
            sentence = " ".join(text.partition("\n\n")[0].split())
            rows.append((str(number), f"`gateway.{room}`", sentence))
    return table(("Step", "Room", "What is there"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "facts": facts,
    "jurisdiction": jurisdiction,
    "machines": machines,
    "messages": messages,
    "posts": posts,
    "published": published,
    "reasons": reasons,
    "roles": roles,
    "rooms": rooms,
    "steps": steps,
    "visibility": visibility,
}
"""Name in the markers -> what makes the section."""


if __name__ == "__main__":
    sys.exit(main())
