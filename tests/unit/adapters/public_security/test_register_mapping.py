"""The mapping of a household register, its own and another's."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from adapters import public_security
from adapters.public_security.register_mapping import RENAMED_COUNTIES
from adapters.reference.people import child
from gateway.adapter_api import Done, Exchange, HukouFinding, HukouStatement, Person

OTHER_MAPPING = """
[person]
table = "v_person"
id_number = "sfzh"
name = "xingming"
former_name = "zengyongming"
birth_date = "shengri"
county = "xian"
township = "xiang"
since = "qianru"
standing = "zhuangtai"
ended = "zhuxiao"
destination = "qianwang"

[local_time]
date_format = "%Y-%m-%d"

[standings]
A = "CURRENT"
D = "DECEASED"
"""


def test_another_register_needs_another_mapping_only(tmp_path: Path) -> None:
    """A view with other names, codes and dates answers after a TOML file, without code."""
    pupil = child(2)
    url = f"sqlite:///{tmp_path / 'other.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE v_person (sfzh, xingming, zengyongming, shengri, xian, xiang,"
                " qianru, zhuangtai, zhuxiao, qianwang)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO v_person (sfzh, xingming, shengri, xian, qianru, zhuangtai)"
                " VALUES (:number, :name, :born, '530627', '2020-03-01', 'A')"
            ),
            {"number": pupil.id_number, "name": pupil.name, "born": str(pupil.birth_date)},
        )
    engine.dispose()
    file = tmp_path / "mapping.toml"
    file.write_text(OTHER_MAPPING, "utf-8")
    adapter = public_security.create({"url": url, "mapping": str(file)})
    exchange = Exchange(
        exchange_id="01890a5d-ac96-774b-bcce-b302099a8057",
        kind="hukou",
        asked_by="530102/edu",
        asked_at=datetime(2026, 11, 23, tzinfo=UTC),
        object_id="case-1",
        subject_token="token-1",
        person=Person(pupil.name, pupil.id_number, birth_date=pupil.birth_date),
    )
    answer = adapter.handle(exchange)
    adapter.close()
    assert isinstance(answer, Done)
    assert isinstance(answer.fact, HukouStatement)
    assert (answer.fact.finding, answer.fact.county) == (HukouFinding.FOUND, "530627")


@pytest.mark.parametrize("content", ["[person]\ntabel = 'x'\n", "[standings]\n0 = 'ALIVE'\n"])
def test_mistyped_mapping_stops_the_start(tmp_path: Path, content: str) -> None:
    """An unknown key or an unknown meaning of a code is an error at once."""
    file = tmp_path / "mapping.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"tabel|standings"):
        public_security.create({"url": "sqlite://", "mapping": str(file)})


def test_renamed_counties_agree_with_the_published_table() -> None:
    """Each renamed county that the gateway's division table knows has the same successor there."""
    table = Path(__file__).parents[4] / "gateway/data/divisions.csv"
    with table.open(encoding="utf-8", newline="") as file:
        published = {
            row["code"]: row["successor"]
            for row in csv.DictReader(file)
            if row["level"] == "COUNTY" and row["successor"] not in ("", row["code"])
        }
    assert published == RENAMED_COUNTIES
