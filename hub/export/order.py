"""What a person asked for, checked against the configuration and the history."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from device_drivers.channels import CHANNELS, is_personal
from hub.api.times import SumStep
from hub.domain.centre import Centre
from hub.domain.room import Text
from hub.domain.series import SeriesKey
from hub.export.lines import name_of
from hub.live import DEFAULT_SILENT_AFTER_MS
from hub.store.export import History
from hub.store.spans import Window
from hub.store.windows import Wanted
from hub.usage import UsageError


class Order(NamedTuple):
    """``step`` None: each change. ``from_ms`` None: from the first."""

    device: str | None
    channel: str | None
    room: str | None
    step: SumStep | None
    from_ms: int | None
    to_ms: int


def checked(order: Order) -> Order:
    """
    Raises:
        UsageError: its parts do not go together.
    """
    if order.room is not None and (order.device or order.channel):
        raise UsageError(Text("export.room_alone"))
    if order.step == "minute" and order.from_ms is None:
        raise UsageError(Text("export.minutes_from"))
    if order.from_ms is not None and order.from_ms >= order.to_ms:
        raise UsageError(Text("usage.wrong_way"))
    return order


def span(order: Order, history: History) -> Window:
    """From when to when."""
    oldest = history.oldest_ms(order.room) if order.from_ms is None else order.from_ms
    return Window(order.to_ms if oldest is None else oldest, order.to_ms)


def series(order: Order, history: History, centre: Centre) -> dict[SeriesKey, int]:
    """The series that are meant, and their numbers, by device and channel.

    Raises:
        UsageError: there is no such device or channel.
    """
    keys = history.keys
    if order.device is not None:
        devices = {device.id for device in centre.devices} | {k.device for k in keys.values()}
        _expect("device", order.device, devices)
    if order.channel is not None:
        channels = {name for name in CHANNELS if not is_personal(name)}
        channels |= {name_of(key) for key in keys.values()}
        _expect("channel", order.channel, channels)
    return {
        key: number
        for number, key in sorted(keys.items(), key=lambda item: item[1])
        if order.device in (None, key.device) and order.channel in (None, key.channel, name_of(key))
    }


def wanted(found: Iterable[SeriesKey], centre: Centre) -> list[Wanted]:
    """The same, with how long each device may say nothing."""
    silence = {device.id: device.silent_after_ms for device in centre.devices}
    return [Wanted(key, silence.get(key.device, DEFAULT_SILENT_AFTER_MS)) for key in found]


def expect_room(room: str, history: History, centre: Centre) -> None:
    """
    Raises:
        UsageError: there is no such room.
    """
    _expect("room", room, {item.id for item in centre.rooms} | set(history.rooms))


def _expect(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        close = get_close_matches(name, sorted(known), n=3) or sorted(known)[:5]
        raise UsageError(Text(f"export.no_{what}", {"name": name, "known": ", ".join(close)}))
