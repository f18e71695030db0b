"""What an officer reads instead of codes: words for enum values, headings, posts and phrases.

Everything is looked up by name, so this module needs neither gRPC nor protobuf. The tables stand
in `matter_words`, `record_words` and `heading_words`; a test holds them against the contract.
"""

from functools import cache
from typing import Literal

from gateway.cli.heading_words import HEADINGS_ZH
from gateway.cli.matter_words import MATTER_WORDS
from gateway.cli.record_words import RECORD_WORDS
from gateway.domain.organisations import POST_NAMES, Post

Language = Literal["en", "zh"]
"""Language of tables and refusals."""

UNSPECIFIED = {"en": "unspecified", "zh": "未说明"}

PHRASES = {
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "nothing": ("Nothing to show.", "无记录。"),
    "more": ("There is more; --limit 0 shows all.", "还有更多记录;--limit 0 显示全部。"),
    "refused": ("Refused", "已拒绝"),
    "unreachable": ("No answer", "未获答复"),
    "advice": ("What to do", "处理办法"),
    "field": ("Field", "字段"),
    "retry": ("Try again after, seconds", "请在若干秒后重试"),
    "line": ("Line", "行"),
    "accepted": ("recorded", "已记录"),
    "repeat": (
        "Whether it took effect is not known. Repeating it is safe with: --request-id {}",
        "尚不知是否生效。可加此参数安全重发: --request-id {}",
    ),
    "summary": ("{} recorded, {} refused", "已记录 {} 条,拒绝 {} 条"),
    "verified": ("Every step of the verification held.", "各项验证均通过。"),
    "balanced": ("Every lane adds up.", "各通道收发数目相符。"),
    "unbalanced": (
        "A lane does not add up: an incident to be looked into.",
        "有通道收发数目不符,须按事件核查处理。",
    ),
    "unverified": ("The verification failed.", "验证未通过。"),
}
"""What the screen itself says: key -> English, Chinese."""


@cache
def _values() -> dict[str, tuple[str, str]]:
    """Full name of every enum value -> English, Chinese."""
    words = {}
    for enum, table in (MATTER_WORDS | RECORD_WORDS).items():
        for line in table.strip().splitlines():
            name, english, chinese = (part.strip() for part in line.split("|"))
            words[f"{enum}_{name}"] = (english, chinese)
    return words


@cache
def _headings() -> dict[str, str]:
    """Name of a field, or message and field -> Chinese."""
    pairs = (line.split() for line in HEADINGS_ZH.strip().splitlines())
    return {pair[0]: pair[1] for pair in pairs}


def is_known(value_name: str) -> bool:
    """Whether there are words for the full name of an enum value."""
    return value_name in _values() or value_name.endswith("_UNSPECIFIED")


def word(value_name: str, language: Language) -> str:
    """Return the words for the full name of an enum value; the name itself when there are none.

    A newer server may know values that this client does not.
    """
    if value_name.endswith("_UNSPECIFIED"):
        return UNSPECIFIED[language]
    pair = _values().get(value_name)
    return _choose(pair, language) if pair else value_name


def heading(field_name: str, language: Language, message_name: str = "") -> str:
    """Return the heading over a field of a message; the fields of an event are named by type."""
    event_type = f"EVENT_TYPE_{field_name.upper()}"
    if event_type in _values():
        return word(event_type, language)
    english = field_name.replace("_", " ")
    if language == "en":
        return english
    headings = _headings()
    return headings.get(f"{message_name}.{field_name}") or headings.get(field_name) or english


def post(name: str, language: Language) -> str:
    """Return the title of a post (A.1: 班主任, 校长, ...); English shows its code."""
    return POST_NAMES[Post(name)] if language == "zh" and name in Post.__members__ else name


def phrase(key: str, language: Language) -> str:
    """Return what the screen itself says.

    Raises:
        KeyError: no such phrase.
    """
    return _choose(PHRASES[key], language)


def _choose(pair: tuple[str, str], language: Language) -> str:
    return pair[0] if language == "en" else pair[1]
