"""From a topic to the device it belongs to: a dictionary, filled as topics are seen.

This is on the hottest path of the hub. A topic is matched against the patterns once; after that
it costs one look-up.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from device_drivers.contract import Message, MqttDriver, MqttPart
from device_drivers.topics import match, parents, subscriptions, subtopic
from edge.link import MqttFeed
from edge.settings import MqttLink
from edge.supervise import Shield

log = logging.getLogger(__name__)

DEVICE_LIMIT = 256 * 1024
PARENT_LIMIT = 8 * 1024 * 1024
SPARE_TOPICS = 4_096
"""A wildcard lets a device invent topics without end; the dictionary is emptied beyond this."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where messages of one topic go."""

    feed: MqttFeed
    subtopic: str


@dataclass(frozen=True, slots=True)
class Parent:
    """A topic that carries the health of a bridge or gateway, and who depends on it."""

    topic: str
    driver: MqttDriver
    subtopic: str
    devices: frozenset[str]
    shield: Shield

    def online(self, payload: bytes) -> bool | None:
        """What the topic says of its convention; None if it says nothing we understand."""
        understood = self.shield.call(self.driver.decode, MqttPart(self.subtopic, payload))
        if not isinstance(understood, Message):
            return None
        for sample in understood.samples:
            if sample.channel == "online" and sample.value is not None:
                return sample.value == 1
        return None


class Routes:
    """All topics of the configured devices."""

    def __init__(self, devices: Sequence[tuple[MqttFeed, MqttLink]]) -> None:
        self._bound: list[tuple[str, MqttFeed]] = []
        self._known: dict[str, Route | None] = {}
        self.parents = _parents(devices)
        self.devices = frozenset(feed.device for feed, _ in devices)
        self._devices_of: dict[str, set[str]] = {}
        for feed, link in devices:
            for wanted, bound in subscriptions(feed.driver, link.mqtt, link.pattern).items():
                self._devices_of.setdefault(wanted, set()).add(feed.device)
                self._bound.append((bound, feed))
        # The pattern that says most wins; so a topic belongs to one device only.
        self._bound.sort(key=lambda item: (-len(item[0]), item[0]))
        for wanted, sharing in self._devices_of.items():
            if len(sharing) > 1:
                log.warning("%s: belongs to several devices: %s", wanted, ", ".join(sharing))
        self._bound_by_topic = {
            bound.replace("{", "").replace("}", ""): (bound, feed)
            for bound, feed in reversed(self._bound)
            if "+" not in bound and "#" not in bound
        }
        self._wild = [item for item in self._bound if "+" in item[0] or "#" in item[0]]

    @property
    def filters(self) -> Mapping[str, frozenset[str]]:
        """What to subscribe to, and which devices hear nothing if it is refused."""
        wanted = {name: frozenset(devices) for name, devices in self._devices_of.items()}
        for topic, parent in self.parents.items():
            wanted[topic] = wanted.get(topic, frozenset()) | parent.devices
        return wanted

    def find(self, topic: str) -> Route | None:
        """Where this topic goes; None if it is none of ours."""
        try:
            return self._known[topic]
        except KeyError:
            return self._learn(topic)

    def _learn(self, topic: str) -> Route | None:
        if len(self._known) > len(self._bound) + SPARE_TOPICS:
            self._known.clear()
        exact = self._bound_by_topic.get(topic)
        candidates = [exact] if exact is not None else self._wild
        found: Route | None = None
        for bound, feed in candidates:
            part = subtopic(bound, topic)
            if part is not None:
                found = Route(feed, part)
                break
        self._known[topic] = found
        return found


def _parents(devices: Sequence[tuple[MqttFeed, MqttLink]]) -> dict[str, Parent]:
    """Every parents' topic once, with all devices behind it."""
    behind: dict[str, tuple[MqttDriver, set[str]]] = {}
    for feed, link in devices:
        for topic in parents(feed.driver, link.mqtt, link.pattern):
            behind.setdefault(topic, (feed.driver, set()))[1].add(feed.device)
    found = {}
    for topic, (driver, names) in behind.items():
        matched = match(driver, topic)
        part = topic if matched is None else matched[1]
        found[topic] = Parent(topic, driver, part, frozenset(names), Shield(driver.name))
    return found
