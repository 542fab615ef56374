"""`linli trace`: the life of one message, from bytes or a topic to samples or a discard.

It runs the same framers and drivers as the hub, and nothing else: no port, no broker, no store.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from device_drivers.channels import CHANNELS, is_personal
from device_drivers.contract import (
    AnyDriver,
    Discard,
    Message,
    MqttDriver,
    MqttPart,
    Sample,
    SerialDriver,
)
from device_drivers.registry import drivers
from device_drivers.topics import is_aside, match, recognises
from hub.commands.drivers import UnknownDriverError, named

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Personal values (blood pressure, pulse, card numbers) are hidden unless --show-personal is given.
--json shows them always: it is meant for tests and programs, not for a screen in a hall.

examples:
  linli trace --driver ld2410 F4F3F2F1 0D00 02AA 03 4F0064 4C0064 3200 5500 F8F7F6F5
  linli trace --driver omron_hbp9020 capture.bin
  linli trace --topic zigbee2mqtt/gym_door --payload '{"contact": false}'
  linli trace --driver tasmota --topic tele/lab/SENSOR --payload '{"Switch1": "ON"}' --json
"""
WHY = {
    "noise": "no frame begins here",
    "length": "a frame began and was not finished, or states an impossible length",
    "checksum": "the check of the frame does not fit its bytes",
    "malformed": "it is not built as this device builds it",
    "unknown": "understood as a frame, but it carries no reading",
    "oversize": "longer than any frame of this device",
}
BETWEEN_DIGITS = re.compile(r"0[xX]|[\s:,;-]+")
SHOWN_BYTES = 32


class WrongUsageError(Exception):
    """What was asked for can not be done; the text says why and what to do."""


class Step(NamedTuple):
    """What became of one piece of the input. A frame is None where bytes were thrown away."""

    frame: bytes | None
    event: Message | Discard | None


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "trace",
        help="follow one message from its bytes to its samples",
        description="Follow one message from its bytes, or its topic, to its samples.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "input", nargs="*", metavar="HEX|FILE", help="bytes of a serial line, or a file of them"
    )
    parser.add_argument(
        "--driver", metavar="NAME", help="what reads it; with --topic found by itself if clear"
    )
    parser.add_argument("--topic", help="the MQTT topic of the message")
    parser.add_argument("--payload", metavar="TEXT", help="its payload")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--show-personal", action="store_true", help="show personal values")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Decode and print."""
    try:
        driver = _driver(arguments)
        if isinstance(driver, SerialDriver):
            data = _line_bytes(driver, arguments)
            head, steps = f"{len(data)} bytes on the line", list(_serial(driver, data))
        else:
            head, steps = _mqtt(driver, arguments)
    except (WrongUsageError, UnknownDriverError) as error:
        print(f"linli trace: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        if arguments.driver is None:
            print(f"linli trace: read by {driver.name}", file=sys.stderr)
        events = [_event_json(step.event) for step in steps if step.event is not None]
        print(json.dumps({"events": events}, ensure_ascii=False))
    else:
        print("\n".join(_story(driver, head, steps, arguments.show_personal)))
    return 0


def _driver(arguments: argparse.Namespace) -> AnyDriver:
    if arguments.driver is not None:
        return named(arguments.driver)
    if arguments.topic is None:
        raise WrongUsageError(
            "Which device speaks? Add --driver NAME; linli drivers lists the names."
        )
    topical = [driver for driver in drivers().values() if isinstance(driver, MqttDriver)]
    found = [driver for driver in topical if recognises(driver, arguments.topic)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(driver.name for driver in found or topical)
    how_many = "Several drivers recognise" if found else "No driver recognises"
    raise WrongUsageError(f"{how_many} {arguments.topic!r}; add --driver with one of: {names}.")


def _line_bytes(driver: SerialDriver, arguments: argparse.Namespace) -> bytes:
    if arguments.topic is not None or arguments.payload is not None:
        raise WrongUsageError(
            f"{driver.name} is on a serial line and has no topics; give its bytes as HEX or a file."
        )
    if not arguments.input:
        raise WrongUsageError("There is nothing to trace; give the bytes as HEX, or a file.")
    content = _file(arguments.input)
    if content is None:
        return _hex(" ".join(arguments.input))
    text = content.decode("ascii", "replace")
    digits = BETWEEN_DIGITS.sub("", text)
    return content if re.search(r"[^0-9A-Fa-f]", digits) or not digits else _hex(text)


def _file(words: list[str]) -> bytes | None:
    """The content, if the only word names a file."""
    if len(words) != 1:
        return None
    try:
        path = Path(words[0])
        return path.read_bytes() if path.is_file() else None
    except (OSError, ValueError) as error:
        raise WrongUsageError(f"{words[0]} can not be read ({error}); check its rights.") from error


def _hex(text: str) -> bytes:
    digits = BETWEEN_DIGITS.sub("", text)
    if wrong := re.search(r"[^0-9A-Fa-f]", digits):
        raise WrongUsageError(
            f"{text!r} is neither a file nor HEX: {wrong[0]!r} is no hexadecimal digit."
        )
    if not digits or len(digits) % 2:
        raise WrongUsageError(
            f"HEX needs two digits for each byte; there are {len(digits)}, so one is missing."
        )
    return bytes.fromhex(digits)


def _serial(driver: SerialDriver, data: bytes) -> Iterator[Step]:
    framer = driver.framing()
    for item in framer.feed(data) + framer.idle():
        if isinstance(item, Discard):
            yield Step(None, item)
        else:
            yield Step(item, driver.decode(item))


def _mqtt(driver: MqttDriver, arguments: argparse.Namespace) -> tuple[str, list[Step]]:
    if arguments.topic is None:
        raise WrongUsageError(f"{driver.name} speaks MQTT; add --topic TOPIC --payload TEXT.")
    payload = _payload(arguments)
    found = match(driver, arguments.topic)
    if found is None:
        if is_aside(driver, arguments.topic):
            return f"{arguments.topic}: a command, or the bridge's own business", []
        patterns = ", ".join(driver.topics)
        raise WrongUsageError(
            f"{arguments.topic!r} fits none of {driver.name}'s topics: {patterns}."
        )
    device, rest = found
    head = f"{arguments.topic}: device {device!r}, subtopic {rest!r}, {len(payload)} bytes"
    return head, [Step(payload, driver.decode(MqttPart(rest, payload)))]


def _payload(arguments: argparse.Namespace) -> bytes:
    if arguments.payload is not None and not arguments.input:
        # What the shell passed on that is not UTF-8 goes to the driver as it was.
        payload: bytes = arguments.payload.encode("utf-8", "surrogateescape")
        return payload
    content = _file(arguments.input)
    if content is None or arguments.payload is not None:
        raise WrongUsageError("Give the payload either as --payload TEXT or as one file.")
    return content


def _event_json(event: Message | Discard) -> dict[str, object]:
    if isinstance(event, Discard):
        return {"discard": {"reason": event.reason, "size": event.size}}
    samples = [
        {
            "channel": sample.channel,
            "value": sample.value,
            "unit": sample.unit,
            "quality": sample.quality,
            "reason": sample.reason,
            "part": sample.part,
        }
        for sample in event.samples
    ]
    time = event.device_time.isoformat() if event.device_time else None
    return {"message": {"samples": samples, "device_time": time}}


def _story(driver: AnyDriver, head: str, steps: list[Step], show_personal: bool) -> Iterator[str]:
    yield f"{driver.name}: {driver.title}"
    yield f"  {head}"
    is_private = any(map(is_personal, driver.channels)) and not show_personal
    for step in steps:
        if step.frame is not None and not is_private:
            yield f"  read   {_shown(step.frame)}"
        elif step.frame is not None:
            yield f"  read   {len(step.frame)} bytes of content"
        yield from _told(step.event, show_personal)
    if not any(step.event for step in steps):
        yield "  nothing: this is no reading of a device, and nothing was lost"
    if is_private:
        yield "Personal values are hidden; --show-personal shows them."


def _told(event: Message | Discard | None, show_personal: bool) -> Iterator[str]:
    if isinstance(event, Discard):
        yield f"  thrown away: {event.size} bytes, {event.reason} ({WHY[event.reason]})"
    elif event is not None:
        at = event.device_time
        zone = "" if at is None or at.tzinfo else " (local time of the centre)"
        yield f"  message, device time {at.isoformat() + zone if at else 'none: the hub stamps it'}"
        for sample in event.samples:
            yield f"    {_line(sample, show_personal)}"
        if not event.samples:
            yield "    no values for our channels; the device was heard, no more"


def _line(sample: Sample, show_personal: bool) -> str:
    name = f"{sample.channel}.{sample.part}" if sample.part else sample.channel
    is_hidden = is_personal(sample.channel) and not show_personal and sample.value is not None
    value = "***" if is_hidden else "no value" if sample.value is None else str(sample.value)
    verdict = f"{sample.quality}: {sample.reason}" if sample.reason else str(sample.quality)
    return f"{name:<22} {value + ' ' + CHANNELS[sample.channel].symbol:<14} {verdict}"


def _shown(frame: bytes) -> str:
    text = frame.decode("utf-8", "replace")
    if text.isprintable():
        return text[: 3 * SHOWN_BYTES] + ("..." if len(text) > 3 * SHOWN_BYTES else "")
    more = f" ... ({len(frame)} bytes)" if len(frame) > SHOWN_BYTES else ""
    return frame[:SHOWN_BYTES].hex(" ") + more
