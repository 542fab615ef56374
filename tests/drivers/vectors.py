"""The golden vectors: one TOML file for each driver, with source and origin of every case.

source = "where the bytes were seen"
[[case]]
name, origin = "public" (seen in a public source) | "computed" (built from the documentation)
hex | text                      serial: the bytes on the line
topic, payload, device          MQTT; device is what must fill the hole of the topic
expect = [samples]              quality is good unless said otherwise
discard = [{reason, size}]      device_time = ISO 8601
ignored = true                  MQTT: no business of this driver
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from device_drivers.contract import Discard, DiscardReason, Message, Quality, Sample, SerialDriver

FOLDER = Path(__file__).parent.parent / "vectors"
Case = dict[str, Any]


@cache
def vectors() -> dict[str, list[Case]]:
    """All cases by driver."""
    files = sorted(FOLDER.glob("*.toml"))
    return {path.stem: tomllib.loads(path.read_text("utf-8"))["case"] for path in files}


def line_bytes(case: Case) -> bytes:
    """What a serial case puts on the line."""
    return bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode("ascii")


def expected(case: Case) -> list[Sample]:
    return [
        Sample(
            row["channel"],
            row.get("value"),
            row["unit"],
            Quality(row.get("quality", "good")),
            row.get("reason", ""),
            row.get("part", ""),
        )
        for row in case["expect"]
    ]


def expected_discards(case: Case) -> list[Discard]:
    return [Discard(DiscardReason(row["reason"]), row["size"]) for row in case.get("discard", [])]


def read(driver: SerialDriver, pieces: Iterable[bytes]) -> list[Message | Discard]:
    """What a driver makes of a stream that comes in these pieces and then goes quiet."""
    framer = driver.framing()
    found = [item for piece in pieces for item in framer.feed(piece)]
    found += framer.idle()
    return [item if isinstance(item, Discard) else driver.decode(item) for item in found]


def messages(events: Iterable[Message | Discard | None]) -> list[Message]:
    return [event for event in events if isinstance(event, Message)]


def samples(events: Iterable[Message | Discard | None]) -> list[Sample]:
    return [sample for message in messages(events) for sample in message.samples]
