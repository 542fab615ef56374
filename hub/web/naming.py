"""Devices by what they are: "radar gym-radar" says more to staff than an id does.

What a device is shows in what it has sent; one that was never heard keeps its bare id, because a
guess from its id or its wire could be wrong. Where only one device of its kind is in a room, a
card leaves the id out; the room's page always gives it, so that the device can be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hub.domain.device import DeviceState
from hub.domain.room import Params
from hub.web.page import translator

_TELLING = ("people.count", "presence", "motion", "contact")  # first wins: radars see motion too
DEVICE_PARAMS = ("device", "a", "b")  # of a reason: each names one device

Names = Mapping[str, str]


def kind(device: DeviceState) -> str:
    """The channel that makes it what it is; empty where none does."""
    keys = tuple(device.channels)
    return next((c for c in _TELLING if any(k == c or k.startswith(f"{c}.") for k in keys)), "")


def full_names(devices: Sequence[DeviceState], language: str) -> Names:
    """Id to kind and id: ``radar gym-radar``."""
    t = translator(language)
    return {
        d.id: t("ui.device_named", kind=t(f"sensor.{what}"), device=d.id)
        for d in devices
        if (what := kind(d))
    }


def short_names(devices: Sequence[DeviceState], language: str) -> Names:
    """The same without the id where the kind alone is clear among these devices."""
    t = translator(language)
    alike = Counter(kind(device) for device in devices)
    names = dict(full_names(devices, language))
    for device in devices:
        what = kind(device)
        if what and alike[what] == 1:
            names[device.id] = t("ui.device_alone", kind=t(f"sensor.{what}"))
    return names


def renamed(params: Params, names: Names) -> Params:
    """The parameters of a reason with names for ids."""
    return {
        key: names.get(str(value), value) if key in DEVICE_PARAMS else value
        for key, value in params.items()
    }
