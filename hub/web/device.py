"""How a device reads on a page: its place, its values in words and units, when it spoke."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from hub.domain.centre import OUTSIDE, Centre, pick
from hub.domain.device import ChannelState, DeviceState, Health
from hub.web.naming import kind
from hub.web.page import Frame, translator, word

WORST_FIRST = (Health.SILENT, Health.FAULTY, Health.NEW, Health.OK)

_SHOWN_UNITS = {"Cel": "°C", "[ppm]": "ppm", "dB[mW]": "dBm", "mm[Hg]": "mmHg", "lx": "lx"}
_IN_A_LINE = 3
_TELLING = (  # which channels a one-line summary takes first
    "presence",
    "people.count",
    "motion",
    "contact",
    "occupancy",
    "online",
    "temperature",
    "humidity",
    "co2",
)


class DeviceLine(NamedTuple):
    """One device in a list."""

    id: str
    kind: str
    driver: str
    health: Health
    room: str | None
    place: str
    values: str
    heard: str
    alert: int | None
    """The oldest open one that concerns it."""

    @property
    def needs_you(self) -> bool:
        return self.alert is not None or self.health in (Health.SILENT, Health.FAULTY)


class ChannelLine(NamedTuple):
    """One channel on a device's page."""

    key: str
    query: str
    """Of an address that shows its history."""
    name: str
    value: str
    quality: str
    reason: str
    since: str
    until: str


def device_line(frame: Frame, device: DeviceState, language: str) -> DeviceLine:
    t = translator(language)
    ordered = [
        k for k in sorted(device.channels, key=_rank) if not _is_usual(k, device.channels[k])
    ]
    values = [
        t(
            "ui.pair",
            name=channel_name(key, language),
            value=value_text(key, device.channels[key], language),
        )
        for key in ordered[:_IN_A_LINE]
    ]
    heard = device.last_heard_ms
    return DeviceLine(
        id=device.id,
        kind=_kind(device, language),
        driver=device.driver,
        health=device.health,
        room=device.room,
        place=place(frame.centre, device, language),
        values=t("ui.comma").join(values),
        heard="" if heard is None else frame.when(heard, language),
        alert=next(iter(device.alerts), None),
    )


def _is_usual(key: str, state: ChannelState) -> bool:
    """What a list need not say: that a device which reports is online, and how well it is heard."""
    return key.startswith("link.") or (key == "online" and state.value == 1)


def _kind(device: DeviceState, language: str) -> str:
    what = kind(device)
    return translator(language)(f"sensor.{what}") if what else ""


def channel_lines(frame: Frame, device: DeviceState, language: str) -> list[ChannelLine]:
    """Every channel, also the bad ones, with what the device said."""
    return [
        ChannelLine(
            key=key,
            query=urlencode({"channel": key}),
            name=channel_name(key, language),
            value=value_text(key, state, language),
            quality=state.quality,
            reason=word(f"bad.{state.reason}", language, state.reason) if state.reason else "",
            since=frame.when(state.observed_ms, language),
            until=frame.when(state.until_ms, language),
        )
        for key, state in sorted(device.channels.items())
    ]


def channel_name(key: str, language: str) -> str:
    """``contact.di1`` reads "Door di1"; a channel that is newer than the texts reads as it is."""
    channel, part = split(key)
    name = word(f"channel.{channel}", language, channel)
    return f"{name} {part}" if part else name


def value_text(key: str, state: ChannelState, language: str) -> str:
    """The value in words, or as a number with its unit."""
    t = translator(language)
    if state.value is None:
        return t("value.none")
    plain = f"{state.value:g}" if isinstance(state.value, float) else str(state.value)
    number = with_unit(plain, state.unit)
    return word(f"value.{split(key)[0]}.{plain}", language, number)


def with_unit(number: str, unit: str) -> str:
    """
    >>> with_unit("21.5", "Cel"), with_unit("3", "{people}")
    ('21.5\\xa0°C', '3')
    """
    shown = _SHOWN_UNITS.get(unit, "" if unit.startswith("{") else unit)
    return f"{number}\N{NO-BREAK SPACE}{shown}" if shown not in ("", "1") else number


def first_channel(device: DeviceState) -> str | None:
    """The one that tells most of what a device is for."""

    def order(key: str) -> tuple[bool, int, str]:
        return split(key)[0] == "online", _rank(key), key  # a measurement tells more than the link

    return min(device.channels, key=order, default=None)


def split(key: str) -> tuple[str, str]:
    """Channel and part; a channel may have a dot itself (``people.count``).

    >>> split("contact.di1"), split("people.count"), split("people.count.2")
    (('contact', 'di1'), ('people.count', ''), ('people.count', '2'))
    """
    for channel in _CHANNELS_WITH_DOT:
        if key == channel or key.startswith(channel + "."):
            return channel, key[len(channel) + 1 :]
    channel, _, part = key.partition(".")
    return channel, part


_CHANNELS_WITH_DOT = (
    "people.count",
    "people.in",
    "people.out",
    "battery.level",
    "battery.voltage",
    "link.quality",
    "link.rssi",
)


def place(centre: Centre, device: DeviceState, language: str) -> str:
    """The room, or the two sides of a door."""
    if not device.configured:
        return translator(language)("ui.not_configured")
    if name := spot_name(centre, device.room or device.door, language):
        return name
    return device.room or (translator(language)("ui.door", door=device.door) if device.door else "")


def spot_name(centre: Centre, spot: str | None, language: str) -> str:
    """A room by its name, a door by the rooms it leads to; empty where there is neither."""
    names = {room.id: pick(room.name, language) for room in centre.rooms}
    if spot in names:
        return names[spot]
    between = next((door.between for door in centre.doors if door.id == spot), ())
    return " ↔ ".join(names.get(side, side) for side in between if side != OUTSIDE)


def context(frame: Frame, device: DeviceState, language: str) -> dict[str, Any]:
    """What the page of one device shows."""
    return {
        "d": device_line(frame, device, language),
        "channels": channel_lines(frame, device, language),
        "maturity": word(f"maturity.{device.maturity}", language, device.maturity),
    }


def _rank(key: str) -> int:
    channel = split(key)[0]
    return _TELLING.index(channel) if channel in _TELLING else len(_TELLING)
