"""Words for officers: complete against the contract."""

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway.cli.heading_words import HEADINGS_ZH
from gateway.cli.matter_words import MATTER_WORDS
from gateway.cli.reading import _FOR_MACHINES
from gateway.cli.record_words import RECORD_WORDS
from gateway.cli.words import PHRASES, heading, is_known, post, word
from tests.unit.cli.fake_gateway import FILES, contract_methods

# Fields that no screen shows: evidence for machines, paging, and the frames around an answer.
FRAMES = """
    absences accepted advice answers dead_letter dead_letters divisions duty_zh end_position entries events
    entitlements end_sequence rejected_events subscribers redelivered notices
    exchanges explanation_zh field items key keys known lanes letters message metadata next_page_token
    orders organisations payload payload_type refused signatures summary_zh taken type_zh value
"""
UNSEEN = _FOR_MACHINES | set(FRAMES.split())


def enums() -> list[EnumDescriptor]:
    """Every enum of the contract."""
    return [enum for file in FILES for enum in file.enum_types_by_name.values()]


def shown() -> list[tuple[str, str]]:
    """Every (message, field) reachable from an answer that a screen shows."""
    found: dict[str, Descriptor] = {}
    waiting = [method.output_type for method in contract_methods()]
    while waiting:
        message = waiting.pop()
        if message.full_name in found or not message.full_name.startswith("gateway."):
            continue
        found[message.full_name] = message
        waiting += [
            field.message_type
            for field in message.fields
            if field.message_type and field.name not in _FOR_MACHINES
        ]
    return sorted(
        (message.name, field.name)
        for message in found.values()
        if not message.GetOptions().map_entry
        for field in message.fields
        if field.name not in UNSEEN
    )


@pytest.mark.parametrize("enum", enums(), ids=lambda enum: enum.name)
def test_every_enum_value_has_words(enum: EnumDescriptor) -> None:
    """Each value of each enum of the contract has an English and a Chinese word."""
    for value in enum.values:
        assert is_known(value.name)
        english, chinese = word(value.name, "en"), word(value.name, "zh")
        assert english.isascii()
        assert "KEY_ALGORITHM" in value.name or not chinese.isascii()


def test_no_word_is_left_over() -> None:
    """The tables hold no value that the contract does not have."""
    values = {value.name for enum in enums() for value in enum.values}
    held = {
        f"{enum}_{line.split('|')[0].strip()}"
        for enum, table in (MATTER_WORDS | RECORD_WORDS).items()
        for line in table.strip().splitlines()
    }
    assert held <= values


def test_every_field_shown_has_a_chinese_heading() -> None:
    """A Chinese screen never falls back to a field's name."""
    assert not [pair for pair in shown() if heading(pair[1], "zh", pair[0]).isascii()]


def test_no_heading_is_left_over() -> None:
    """The table of headings names only fields of the contract."""
    fields = {field for _, field in shown()} | {".".join(pair) for pair in shown()}
    held = {line.split()[0] for line in HEADINGS_ZH.strip().splitlines()}
    assert held <= fields


def test_words_of_the_regulation() -> None:
    """Values read as in the regulation, and what is not known here keeps its name."""
    assert word("LETTER_KIND_NOTIFICATION", "zh") == "告知函"
    assert word("RETRIEVAL_STEP_ORDER_TO_CORRECT", "zh") == "责令改正"
    assert word("CASE_STATE_SUSPECTED", "en") == "suspected dropout"
    assert word("CASE_STATE_OF_A_LATER_SERVER", "zh") == "CASE_STATE_OF_A_LATER_SERVER"
    assert word("SEX_UNSPECIFIED", "zh") == "未说明"
    assert heading("letter_no", "zh") == "发文字号"
    assert heading("title", "zh", "DropoutCase") != heading("title", "zh", "Letter")
    assert heading("letter_dispatched", "zh", "Event") == "函已发出"
    assert post("PRINCIPAL", "zh") == "校长"
    assert post("PRINCIPAL", "en") == "PRINCIPAL"
    assert post("NO_SUCH_POST", "zh") == "NO_SUCH_POST"


def test_phrases_come_in_both_languages() -> None:
    """What the screen says itself is said in English and in Chinese, with the same gaps."""
    for english, chinese in PHRASES.values():
        assert english != chinese
        assert english.count("{}") == chinese.count("{}")
