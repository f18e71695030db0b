"""What a line of the timeline says, in both languages."""

from dataclasses import dataclass
from datetime import datetime

from gateway.cli.words import Language, word

LAW = "云政办规〔2022〕5号 art. "
"""How an article of the regulation is written in a legal basis."""


@dataclass(frozen=True)
class Said:
    """One thing in both languages."""

    en: str
    zh: str

    def within(self, language: Language) -> str:
        """Return it in one language."""
        return self.zh if language == "zh" else self.en

    def as_json(self) -> dict[str, str]:
        """Return it for scripts."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True)
class Line:
    """One line of the timeline.

    Attributes:
        kind: `scene` (a heading), `fact` (a signed event seen where it had to arrive), `act` and
            `state` (what leaves no event), `refusal` (a call that had to be refused), `arrival`
            (an event at the subscriber).
        term: what it is called.
        what: what it says in particular; free of identity, which is masked.
        at: when it was recorded.
        organisation: who; its code.
        actor_post: which post.
        legal_basis: as in the event.
        verified: whether every signature held; None where there is none to verify.
        seen_by: codes of those that saw its effect.
        milliseconds: from the call that caused it until its effect was seen.
        event_id: the event, if it is one.
    """

    kind: str
    term: Said
    what: Said
    at: datetime
    organisation: str = ""
    actor_post: str = ""
    legal_basis: tuple[str, ...] = ()
    verified: bool | None = None
    seen_by: tuple[str, ...] = ()
    milliseconds: int | None = None
    event_id: str = ""


def term_of(value_name: str) -> Said:
    """Return the words for a value of the contract."""
    return Said(word(value_name, "en"), word(value_name, "zh"))


def articles(legal_basis: tuple[str, ...], language: Language) -> str:
    """Return a legal basis in short: articles of the regulation by number, others in full."""
    numbers = [basis.removeprefix(LAW) for basis in legal_basis if basis.startswith(LAW)]
    others = [basis for basis in legal_basis if not basis.startswith(LAW)]
    if numbers:
        zh = f"第{'、'.join(numbers)}条"
        others.insert(0, zh if language == "zh" else f"art. {', '.join(numbers)}")
    return ", ".join(others)
