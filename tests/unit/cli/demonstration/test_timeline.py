"""The timeline, as text and as JSON."""

import json
from datetime import UTC, datetime
from typing import Literal

import pytest

from gateway.cli.demonstration.lines import LAW, Line, Said, articles
from gateway.cli.demonstration.timeline import Timeline

FACT = Line(
    "fact",
    Said("letter dispatched", "函已发出"),
    Said("to the other county", "发往另一县"),
    datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC),
    organisation="530102/edu",
    actor_post="CASE_OFFICER",
    legal_basis=(f"{LAW}7", f"{LAW}8"),
    verified=True,
    seen_by=("530627/edu",),
    milliseconds=42,
    event_id="event",
)
SCENE = Line("scene", Said("First child", "第一名学生"), Said("in 五华", "在五华区"), FACT.at)


def shown(
    capsys: pytest.CaptureFixture[str], language: Literal["en", "zh"], *, as_json: bool = False
) -> str:
    """Show a scene and a fact, and return the text."""
    timeline = Timeline(language, as_json=as_json)
    timeline.names = {"530102/edu": "五华区教育体育局", "530627/edu": "镇雄县教育体育局"}
    with timeline.working():
        timeline.doing(FACT.term)
        timeline.add(SCENE)
        timeline.add(FACT)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "sentence", "article"),
    [("en", "to the other county", "art. 7, 8"), ("zh", "发往另一县", "第7、8条")],
)
def test_a_line_says_everything(
    capsys: pytest.CaptureFixture[str],
    language: Literal["en", "zh"],
    sentence: str,
    article: str,
) -> None:
    """Number, Shanghai time, both terms, who, post, to whom, what, article, mark, milliseconds."""
    text = shown(capsys, language)
    for part in (
        *("  1 10:00:05", "函已发出 letter dispatched", "✓", "42 ms"),
        *("五华区教育体育局 530102/edu", "承办人 CASE_OFFICER", "→ 镇雄县教育体育局"),
        *(sentence, article),
    ):
        assert part in text


def test_json_has_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get every line with both languages; a scene has no number."""
    scene, fact = map(json.loads, shown(capsys, "en", as_json=True).splitlines())
    assert (scene["kind"], scene["step"]) == ("scene", None)
    assert (fact["step"], fact["verified"], fact["seen_by"]) == (1, True, ["530627/edu"])
    assert fact["term"] == {"en": "letter dispatched", "zh": "函已发出"}
    assert fact["at"] == "2026-11-23T02:00:05+00:00"


def test_a_broken_signature_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not verified never gets the mark of what was."""
    timeline = Timeline("en", as_json=False)
    timeline.add(Line("arrival", FACT.term, FACT.what, FACT.at, verified=False))
    text = capsys.readouterr().out
    assert "✗" in text
    assert "✓" not in text


def test_other_bases_stand_in_full() -> None:
    """A basis that is no article of the regulation is not shortened."""
    assert articles((f"{LAW}8", "policy"), "en") == "art. 8, policy"
    assert articles((), "zh") == ""
