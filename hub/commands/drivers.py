"""`linli drivers`: what is understood, how well it is proven, and what to write for it.

The table of supported devices in the README is made here too, so that it can not lag behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from device_drivers.channels import CHANNELS
from device_drivers.contract import AnyDriver, Maturity, MqttDriver, SerialDriver
from device_drivers.registry import drivers

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
maturity:
  built      from documents; nobody has seen it with a real device yet
  captured   agrees with recorded traffic of real devices
  fielded    runs in a centre

examples:
  linli drivers                         the list
  linli drivers zigbee2mqtt             one of them, with an example for the configuration
  linli drivers --json | jq '.items[].name'
"""
PROVEN = {
    Maturity.BUILT: "built from documents",
    Maturity.CAPTURED: "agrees with recorded traffic",
    Maturity.FIELDED: "runs in a centre",
}
STEPS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


class UnknownDriverError(Exception):
    """There is no driver of that name; the text says what to do."""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "drivers",
        help="list the devices that are understood",
        description="List the drivers, or tell all about one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="one driver, in detail")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one driver."""
    try:
        chosen = [named(arguments.name)] if arguments.name else list(drivers().values())
    except UnknownDriverError as error:
        print(f"linli drivers: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        items = [as_json(driver) for driver in chosen]
        print(json.dumps(items[0] if arguments.name else {"items": items}, ensure_ascii=False))
    elif arguments.name:
        print(details(chosen[0]))
    else:
        print(listing(chosen))
    return 0


def named(name: str) -> AnyDriver:
    """Find a driver.

    Raises:
        UnknownDriverError: there is none of that name.
    """
    if name in drivers():
        return drivers()[name]
    close = get_close_matches(name.replace("-", "_").lower(), drivers(), n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(drivers())}."
    raise UnknownDriverError(f"There is no driver {name!r}. {hint}")


def listing(chosen: Iterable[AnyDriver]) -> str:
    """One line for each driver."""
    rows = [("NAME", "WIRE", "MATURITY", "DEVICE")]
    rows += [(d.name, _wire(d), str(d.maturity), d.title) for d in chosen]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join([*lines, "", "linli drivers NAME tells more."])


def details(driver: AnyDriver) -> str:
    """All about one driver, for people."""
    facts = [
        ("source", driver.source),
        ("maturity", f"{driver.maturity} ({PROVEN[driver.maturity]})"),
        ("integrity", driver.integrity or "nothing in the frame protects it from damage"),
        ("wire", _wire(driver)),
        ("silent after", f"{_duration(driver.silent_after)} without a word"),
        ("proves for", f"{_duration(driver.proof_within)} what it last said"),
    ]
    if driver.duplicate_window:
        facts.append(
            ("repeats", f"equal messages within {_duration(driver.duplicate_window)} are one")
        )
    width = max(len(name) for name in driver.channels)
    return "\n".join(
        [
            f"{driver.name}: {driver.title}",
            "",
            *(f"  {name:<13} {text}" for name, text in facts),
            "",
            "  channels",
            *(f"    {name:<{width}}  {_meaning(name)}" for name in driver.channels),
            "",
            "  in the configuration, under devices:",
            f"    - {example(driver)}",
        ]
    )


def example(driver: AnyDriver) -> str:
    """A line for the configuration that works once the names are true."""
    if isinstance(driver, SerialDriver):
        link = f"{{serial: /dev/serial/by-id/usb-..., baud: {driver.line.baud}}}"
    else:
        link = f"{{mqtt: {driver.base + '/' if driver.base else ''}NAME}}"
    return f"{{id: my-device, driver: {driver.name}, room: ROOM, link: {link}}}"


def as_json(driver: AnyDriver) -> dict[str, object]:
    """A driver for programs."""
    wire: dict[str, object]
    if isinstance(driver, SerialDriver):
        line = driver.line
        wire = {
            "kind": "serial",
            "baud": line.baud,
            "parity": line.parity,
            "stop_bits": line.stop_bits,
            "data_bits": line.data_bits,
        }
    else:
        wire = {"kind": "mqtt", "topics": driver.topics, "parents": driver.parents}
    return {
        "name": driver.name,
        "title": driver.title,
        "source": driver.source,
        "maturity": driver.maturity,
        "integrity": driver.integrity,
        "channels": [
            {
                "name": name,
                "unit": CHANNELS[name].unit,
                "meaning": CHANNELS[name].meaning,
                "personal": CHANNELS[name].personal,
            }
            for name in driver.channels
        ],
        "wire": wire,
        "silent_after_s": driver.silent_after.total_seconds(),
        "proof_within_s": driver.proof_within.total_seconds(),
        "duplicate_window_s": driver.duplicate_window.total_seconds(),
    }


def supported_devices() -> str:
    """The README's table, in Markdown."""
    rows = [
        f"| {driver.title} | `{driver.name}` | {_wire(driver)} | "
        f"{', '.join(f'`{name}`' for name in driver.channels)} | {driver.maturity} |"
        for driver in drivers().values()
    ]
    head = ["| Device | Driver | Wire | Channels | Maturity |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def _wire(driver: AnyDriver) -> str:
    if isinstance(driver, MqttDriver):
        return "MQTT"
    line = driver.line
    return f"serial {line.baud} {line.data_bits}{line.parity[0].upper()}{line.stop_bits}"


def _meaning(name: str) -> str:
    channel = CHANNELS[name]
    unit = f" [{channel.symbol}]" if channel.symbol else ""
    return f"{channel.meaning}{unit}{' (personal)' if channel.personal else ''}"


def _duration(time: timedelta) -> str:
    """As the configuration writes it.

    >>> _duration(timedelta(hours=25)), _duration(timedelta(minutes=10))
    ('25h', '10m')
    """
    seconds = int(time.total_seconds())
    unit, size = next(item for item in STEPS.items() if seconds % item[1] == 0)
    return f"{seconds // size}{unit}"
