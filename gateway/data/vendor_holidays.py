"""Makes `holidays.csv` from the wheel of chinesecalendar 1.11.0, which is never installed.

    pip download --no-deps chinesecalendar==1.11.0
    python -m gateway.data.vendor_holidays chinesecalendar-1.11.0-py2.py3-none-any.whl

A new year is added by naming its notice in `NOTICES` once a release of the source contains it, and
by removing the year's feasts from `FEASTS`.
"""

import csv
import hashlib
import importlib
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from gateway.data.calendars import COLUMNS

WHEEL_SHA256 = "9479ead6010e6001472efdf97317699882c16604c7858ba26862dc9d36d56d46"
NOTICES = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}
"""The State Council's notice for each year taken over."""

LAW = "全国年节及纪念日放假办法 art. 2"
FEASTS = {
    # Feasts by law in years without a notice: which other days are given or made up is open.
    "元旦": ("2027-01-01", "2028-01-01"),
    "春节": (
        *("2027-02-05", "2027-02-06", "2027-02-07", "2027-02-08"),
        *("2028-01-25", "2028-01-26", "2028-01-27", "2028-01-28"),
    ),
    "清明": ("2027-04-05", "2028-04-04"),
    "劳动节": ("2027-05-01", "2027-05-02", "2028-05-01", "2028-05-02"),
    "端午": ("2027-06-09", "2028-05-28"),
    "中秋": ("2027-09-15",),  # in 2028 it falls on the last day of the National Day feast
    "国庆节": (
        *("2027-10-01", "2027-10-02", "2027-10-03"),
        *("2028-10-01", "2028-10-02", "2028-10-03"),
    ),
}

Row = tuple[str, ...]


def main() -> int:
    """Write the file; the exit code is 1 when the wheel is not the one described."""
    if hashlib.sha256(Path(sys.argv[1]).read_bytes()).hexdigest() != WHEEL_SHA256:
        sys.stderr.write("This is not the wheel that SOURCE.md describes.\n")
        return 1
    sys.path.insert(0, sys.argv[1])
    rows = sorted({*announced(), *by_law()})
    with Path(__file__).with_name("holidays.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


def announced() -> Iterator[Row]:
    """Yield the days off and the made-up working days of the years with a notice."""
    source = importlib.import_module("chinese_calendar.constants")
    chinese = {holiday.value: holiday.chinese for holiday in source.Holiday}
    for kind, days in (("holiday", source.holidays), ("workday", source.workdays)):
        day: date
        for day, english in days.items():
            if day.year in NOTICES:
                yield (day.isoformat(), kind, chinese[english], NOTICES[day.year])


def by_law() -> Iterator[Row]:
    """Yield the feasts of the years without one."""
    for name, days in FEASTS.items():
        for day in days:
            yield (day, "statutory", name, LAW)


if __name__ == "__main__":
    sys.exit(main())
