"""Nobody listens to himself: no device is heard on a topic on which the hub itself speaks."""

from __future__ import annotations

from collections.abc import Iterator

from device_drivers.contract import MqttDriver
from device_drivers.registry import drivers
from device_drivers.topics import subscriptions
from edge.settings import DeviceSettings, MqttLink
from hub.configuration.draft import Draft
from hub.configuration.problems import Problem
from hub.configuration.yaml12 import Document


def check_publish(draft: Draft, document: Document) -> Iterator[Problem]:
    """Devices whose topics are ours, or Home Assistant's."""
    own = [] if draft.centre is None else [f"linli/{draft.centre.id}"]
    if draft.publish is not None and draft.publish.homeassistant is not None:
        own.append(draft.publish.homeassistant.prefix)
    for index, device in draft.devices.items():
        for root in own:
            if any(meets(name, f"{root}/#") for name in _heard(device)):
                link = device.link
                value = link.mqtt if isinstance(link, MqttLink) else ""
                place = document.place(("devices", index, "link", "mqtt"))
                yield Problem("own_topic", place, {"value": value, "own": root})


def meets(one: str, other: str) -> bool:
    """Is there a topic that both filters let through?

    >>> meets("linli/east/rooms/gym", "linli/east/#"), meets("tele/gym/+", "linli/east/#")
    (True, False)
    >>> meets("linli/+", "linli/east/#"), meets("linli/eastern/door", "linli/east/#")
    (True, False)
    """
    ours, theirs = one.split("/"), other.split("/")
    for left, right in zip(ours, theirs, strict=False):
        if "#" in (left, right):
            return True
        if left != right and "+" not in (left, right):
            return False
    longer = max(ours, theirs, key=len)[min(len(ours), len(theirs)) :]
    return longer in ([], ["#"])


def _heard(device: DeviceSettings) -> tuple[str, ...]:
    driver = drivers().get(device.driver)
    if not isinstance(driver, MqttDriver) or not isinstance(device.link, MqttLink):
        return ()
    try:
        return tuple(subscriptions(driver, device.link.mqtt, device.link.pattern))
    except ValueError:  # no topic at all, which is told apart
        return ()
