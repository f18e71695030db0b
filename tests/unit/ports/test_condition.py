"""The closed list of what may ail a node: complete, in both languages, with the same facts."""

from string import Formatter

import pytest

from gateway.cli.doctor_words import PARTS_ZH, words_zh
from gateway.ports.condition import MEANINGS, RUNNING, VITAL, Code, Finding, Part, Severity


def places(*texts: str) -> set[str]:
    """Return the facts that texts have places for."""
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def test_every_code_has_its_meaning() -> None:
    """A sentence for each, and for all that is wrong in itself what to do."""
    assert set(MEANINGS) == set(Code)
    says_it_itself = {Code.SETTING_WRONG, Code.STORE_OUTDATED}
    for code, meaning in MEANINGS.items():
        assert meaning.sentence, code
        if meaning.severity is not Severity.OK and code not in says_it_itself:
            assert meaning.advice, code


def test_every_code_and_part_has_its_chinese() -> None:
    """Nothing is left to English, and nothing is there that has no code."""
    assert set(words_zh()) == set(Code)
    assert set(PARTS_ZH) == set(Part)


@pytest.mark.parametrize("code", Code)
def test_both_languages_need_the_same_facts(code: Code) -> None:
    """Chinese asks for no fact that English has no place for, so none can be missing."""
    english = places(MEANINGS[code].sentence, MEANINGS[code].advice)
    assert places(*words_zh()[code]) <= english


def test_a_finding_fills_in_its_facts() -> None:
    """Sentence and advice of a finding are those of its code, with its facts."""
    finding = Finding(Part.STORE, Code.OPEN_TO_OTHERS, {"path": "node.db", "mode": "0644"})
    assert finding.severity is Severity.WARN
    assert finding.sentence == "node.db may be read by other users (mode 0644)."
    assert finding.advice == "Run: chmod 600 node.db"


def test_the_vital_parts_run() -> None:
    """The health service answers for every part without which the node does not serve."""
    assert set(RUNNING) >= VITAL
