"""Invented children whose papers look right and belong to nobody.

Identity numbers (GB 11643) carry a valid check character. Their address code was abolished at
least two years before the child's birth and is never given out again (行政区划代码管理办法), so no
registry office wrote such a number at a birth. Telephone numbers are Kunming subscriber numbers
beginning with 0, which no carrier assigns.
"""

from dataclasses import dataclass
from datetime import date, timedelta

# Abolished county codes of Yunnan and the year of their end.
RETIRED_CODES = (
    ("532522", 2010),  # 蒙自县
    ("532621", 2010),  # 文山县
    ("530121", 2011),  # 呈贡县
    ("532526", 2013),  # 弥勒县
    ("533421", 2014),  # 香格里拉县
    ("530522", 2015),  # 腾冲县
    ("530421", 2015),  # 江川县
    ("530122", 2016),  # 晋宁县
    ("530328", 2016),  # 沾益县
    ("533321", 2016),  # 泸水县
)
_YEARS_SINCE_THE_END = 2

FIRST_BIRTH = date(2012, 9, 1)
"""With LAST_BIRTH the span of default births: aged 7 to 14 in the school year 2026/27."""
LAST_BIRTH = date(2019, 8, 31)
_SPAN = (LAST_BIRTH - FIRST_BIRTH).days + 1
_STRIDE = 733  # prime to the span: consecutive seeds are born years apart, none on one day

MALE, FEMALE = "1", "2"
"""Sex as in GB/T 2261.1."""

_SURNAMES = "李杨张王普和罗周段赵陈马白刀孙岩"
_GIVEN = {
    MALE: ("文山", "建云", "志远", "小龙", "春城", "永明", "石林", "云飞", "学军", "松涛", "一凡"),
    FEMALE: ("雨桐", "春花", "小燕", "晓玲", "云霞", "丽江", "思茅", "彩云", "月华", "秀英", "静"),
}
_MINORITY_NAMES = {MALE: ("阿普·木呷", "扎西·尼玛"), FEMALE: ("阿依·木果", "央金·拉姆")}
_ELDERS = {MALE: ("国强", "正东", "德昌", "家福"), FEMALE: ("桂兰", "玉珍", "秀芬", "美仙")}
_EVERY_NTH_MINORITY = 17


@dataclass(frozen=True)
class Child:
    """One invented child; `sex` as in GB/T 2261.1, `relation` is the guardian's to the child."""

    name: str
    id_number: str
    enrolment_number: str
    birth_date: date
    sex: str
    guardian_name: str
    guardian_relation: str
    guardian_phone: str


def check_character(first_17: str) -> str:
    """Return the check character of an identity number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first_17))
    return "10X98765432"[total % 11]


def child(seed: int, *, born: date | None = None) -> Child:
    """Return the child of a seed: always the same one.

    Numbers differ for all seeds below 125,000, or below 100 for one given day of birth.

    Args:
        seed: from 0.
        born: day of birth; drawn from the default span when absent.

    Raises:
        ValueError: no address code had been abolished long enough before that birth.
    """
    birth = born or FIRST_BIRTH + timedelta(days=seed * _STRIDE % _SPAN)
    codes = [code for code, end in RETIRED_CODES if end + _YEARS_SINCE_THE_END <= birth.year]
    if not codes:
        raise ValueError("no abolished address code is old enough for that birth")
    sex = MALE if seed % 2 else FEMALE
    # Sequence 900 to 999, odd for boys.
    pair = seed // 2 % 50 if born else seed // _SPAN % 50
    sequence = 900 + 2 * pair + (sex == MALE)
    first_17 = f"{codes[seed % len(codes)]}{birth:%Y%m%d}{sequence}"
    id_number = first_17 + check_character(first_17)
    surname = _SURNAMES[seed // 3 % len(_SURNAMES)]
    father = seed % 3 != 0
    elders = _ELDERS[MALE if father else FEMALE]
    elder_surname = surname if father else _SURNAMES[seed // 5 % len(_SURNAMES)]
    return Child(
        name=_name(seed, surname, sex),
        id_number=id_number,
        enrolment_number="G" + id_number,
        birth_date=birth,
        sex=sex,
        guardian_name=elder_surname + elders[seed // 7 % len(elders)],
        guardian_relation="父亲" if father else "母亲",
        guardian_phone=f"0871-0{seed % 10_000_000:07d}",
    )


def _name(seed: int, surname: str, sex: str) -> str:
    if seed % _EVERY_NTH_MINORITY == _EVERY_NTH_MINORITY - 1:
        names = _MINORITY_NAMES[sex]
        return names[seed // _EVERY_NTH_MINORITY % len(names)]
    given = _GIVEN[sex]
    return surname + given[seed // 2 % len(given)]
