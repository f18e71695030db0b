"""No identity goes into the assistance platform, whoever asks for it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters import assistance_platform
from adapters.assistance_platform.masking import holds_identity, unmasked_part
from adapters.reference import platform as reference
from adapters.reference.people import child
from gateway.adapter_api import Exchange, Person, Refused
from gateway.domain.identifiers import mask_enrolment_number, mask_id_number, mask_name

PUPIL = child(9)
MASKED = Person(
    name=mask_name(PUPIL.name),
    id_number=mask_id_number(PUPIL.id_number),
    enrolment_number=mask_enrolment_number(PUPIL.enrolment_number),
    masked=True,
)
UNMASKED = [
    replace(MASKED, name=PUPIL.name),
    replace(MASKED, name=PUPIL.name[:1]),
    replace(MASKED, name=PUPIL.name[:2] + "*"),
    replace(MASKED, id_number=PUPIL.id_number),
    replace(MASKED, id_number=PUPIL.id_number[:6] + "********" + PUPIL.id_number[14:]),
    replace(MASKED, id_number=PUPIL.id_number[:14] + "****"),
    replace(MASKED, enrolment_number=PUPIL.enrolment_number),
    replace(MASKED, birth_date=date(2015, 6, 12)),
    replace(MASKED, masked=False),
]


def test_the_gateways_masks_pass() -> None:
    """What the domain's own masks leave is what the platform may hold."""
    assert unmasked_part(MASKED) == ""
    assert unmasked_part(Person(masked=True)) == ""
    for seed in range(60):
        some = child(seed)
        hidden = Person(mask_name(some.name), mask_id_number(some.id_number), masked=True)
        assert unmasked_part(hidden) == ""


@pytest.mark.parametrize("person", UNMASKED, ids=range(len(UNMASKED)))
def test_any_readable_part_refuses_the_whole_entry(tmp_path: Path, person: Person) -> None:
    """Whatever is said to be masked and is not is refused, and nothing is stored."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    reference.create(url)
    adapter = assistance_platform.create({"url": url})
    exchange = Exchange(
        exchange_id="01890a5d-ac96-774b-bcce-b302099a8058",
        kind="body_entry",
        asked_by="530102/edu",
        asked_at=datetime(2026, 11, 23, tzinfo=UTC),
        object_id="case-1",
        subject_token="token-1",
        person=person,
        fields={"body": "530102/edu", "row": "J1"},
    )
    answer = adapter.handle(exchange)
    hidden = replace(
        exchange, person=MASKED, fields={"body": "530102/edu", "row": PUPIL.enrolment_number}
    )
    second = adapter.handle(hidden)
    adapter.close()
    assert isinstance(answer, Refused)
    assert isinstance(second, Refused)
    for secret in (PUPIL.name, PUPIL.id_number):
        assert secret not in answer.reason + second.reason
    assert reference.entries(url) == []


@pytest.mark.parametrize(
    "text",
    [
        PUPIL.id_number,
        PUPIL.enrolment_number,
        f"证件 {PUPIL.id_number[:6]} {PUPIL.id_number[6:14]} {PUPIL.id_number[14:]}",
        PUPIL.id_number.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)}),
        f"电话{PUPIL.guardian_phone}",
        "13" + "8" * 9,
    ],
)
def test_identity_hidden_in_a_text_is_seen(text: str) -> None:
    """Identity and telephone numbers are found inside other words, spaced or full-width."""
    assert holds_identity([text])


@pytest.mark.parametrize(
    "text",
    [
        "镇教劝〔2026〕12号",
        "530102/sch/3153000123",
        "530627001/twn",
        "0197f0a3-5b7e-7c11-8a1d-013812345678",
        "2026-11-23",
        "",
    ],
)
def test_codes_are_no_identity(text: str) -> None:
    """Document numbers, codes, dates and identifiers of objects pass."""
    assert not holds_identity([text])
