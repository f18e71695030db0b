"""What is measured of the gateway: letters and bulk reports, from the call to the receipt."""

import time
from pathlib import Path

from bench.figures import Run
from bench.orders import Worker
from bench.processes import CpuMeter
from bench.province import (
    COUNTY_NODE,
    OTHER_NODE,
    RECEIVER,
    SCHOOL_NODE,
    SENDER,
    Province,
    until,
)
from gateway.domain.organisations import OrgId


def caller(province: Province, org: OrgId) -> Worker:
    """Make a client process of an organisation."""
    return Worker("bench.client", str(Path(province.laid.profiles[str(org)])))


def letters(province: Province, client: Worker, count: int, in_flight: int = 64) -> Run:
    """Dispatch letters that were made and signed before; all receipts are committed at the end."""
    seeder = province.seeder(COUNTY_NODE)
    ready = seeder.signed_letters(SENDER, RECEIVER, count)
    seeder.close()
    meter = CpuMeter({"client": client.pid} | province.pids(COUNTY_NODE, OTHER_NODE))
    began = time.monotonic()
    client.carry_out("dispatch", letters=ready, in_flight=in_flight, rate=0)
    until(lambda: province.unreceipted(COUNTY_NODE) == 0, "the receipts of all letters")
    return Run(count, meter.seconds(), time.monotonic() - began)


def absences(province: Province, client: Worker, count: int, streams: int = 4) -> Run:
    """Report absences in bulk from a school on one node to the bureau on another."""
    meter = CpuMeter({"client": client.pid} | province.pids(SCHOOL_NODE, COUNTY_NODE))
    began = time.monotonic()
    accepted = client.carry_out("report", count=count, streams=streams)
    assert accepted == count, f"{accepted} of {count} reports were accepted"
    until(lambda: province.unreceipted(SCHOOL_NODE) == 0, "the receipts of all reports")
    return Run(count, meter.seconds(), time.monotonic() - began)
