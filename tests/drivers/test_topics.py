"""Topics of a driver: holes, wildcards, and what is no device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.catalogue.tasmota import DRIVER as TASMOTA
from device_drivers.catalogue.zigbee2mqtt import DRIVER as Z2M
from device_drivers.topics import match, parents, recognises, subscriptions, subtopic

# Friendly names: levels that are not empty, with spaces, braces, anything but wildcards.
level = st.text(st.characters(blacklist_characters="/+#\0", codec="utf-8"), min_size=1, max_size=8)
names = st.lists(level, min_size=1, max_size=3).map("/".join)


def test_a_fill_becomes_filters_that_remember_the_hole() -> None:
    assert subscriptions(Z2M, "zigbee2mqtt/hall/front door") == {
        "zigbee2mqtt/hall/front door": "{zigbee2mqtt/hall/front door}",
        "zigbee2mqtt/hall/front door/availability": "{zigbee2mqtt/hall/front door}/availability",
    }
    assert list(subscriptions(TASMOTA, "gym")) == ["tele/gym/+", "stat/gym/+"]


def test_a_pattern_replaces_the_drivers_own() -> None:
    assert subscriptions(TASMOTA, "gym", "{device}/tele/+") == {"gym/tele/+": "{gym}/tele/+"}


@given(name=names)
def test_subscribing_and_matching_agree_whatever_the_name(name: str) -> None:
    for filter_, bound in subscriptions(TASMOTA, name).items():
        topic = filter_.replace("+", "STATE")
        assert subtopic(bound, topic) == f"{filter_[:4]}/STATE"
        assert match(TASMOTA, topic) == (name, f"{filter_[:4]}/STATE")
        assert subtopic(bound, topic + "/x") is None


@pytest.mark.parametrize(
    ("bound", "topic", "rest"),
    [
        ("{a/b}", "a/b", ""),
        ("{a/b}", "a/b/set", None),
        ("{a/b}", "a", None),
        ("{a}/#", "a", ""),
        ("{a}/#", "a/availability", "availability"),
        ("{a}/#", "a/b/c", "b/c"),
        ("{a}/+/+", "a/tele/LWT", "tele/LWT"),
        ("tele/{a}/+", "stat/a/X", None),
        ("tele/{a}/+", "tele/a", None),
        ("x/{a{}b}/y", "x/a{}b/y", "x/y"),
    ],
)
def test_subtopic(bound: str, topic: str, rest: str | None) -> None:
    assert subtopic(bound, topic) == rest


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("zigbee2mqtt/counter/availability", ("zigbee2mqtt/counter", "availability")),
        ("zigbee2mqtt/hall/front door", ("zigbee2mqtt/hall/front door", "")),
        ("zigbee2mqtt/bridge/state", ("zigbee2mqtt", "bridge/state")),
        ("site/zigbee2mqtt/bridge/state", ("site/zigbee2mqtt", "bridge/state")),
        ("zigbee2mqtt/bridge/devices", None),
        ("zigbee2mqtt/bridge/response/device/remove", None),
        ("zigbee2mqtt/front door/set", None),
        ("zigbee2mqtt/front door/set/state", None),
        ("zigbee2mqtt/front door/get", None),
        ("", None),
    ],
)
def test_zigbee2mqtt_topics(topic: str, found: tuple[str, str] | None) -> None:
    assert match(Z2M, topic) == found


def test_only_the_usual_base_is_recognised_by_itself() -> None:
    assert recognises(Z2M, "zigbee2mqtt/door")
    assert recognises(Z2M, "zigbee2mqtt/door/set")
    assert not recognises(Z2M, "tele/door/STATE")
    assert recognises(TASMOTA, "tele/door/STATE")
    assert not recognises(TASMOTA, "zigbee2mqtt/door")


def test_parents_follow_the_base() -> None:
    assert parents(Z2M, "zigbee2mqtt/hall/door") == ("zigbee2mqtt/bridge/state",)
    assert parents(Z2M, "door", "site/z2m/{device}") == ("site/z2m/bridge/state",)
    assert parents(Z2M, "z2m/door", "{device}/#") == ("z2m/bridge/state",)
    assert parents(TASMOTA, "gym") == ()


@pytest.mark.parametrize("fill", ["", "a/+", "#", "/a", "a/", "a\0b"])
def test_a_fill_that_is_no_single_device_is_refused(fill: str) -> None:
    with pytest.raises(ValueError, match=r"topic of one device|begins or ends"):
        subscriptions(Z2M, fill)


@pytest.mark.parametrize(
    "pattern", ["tele/+", "{device}/{device}", "x{device}", "{device}/a+", "#/{device}", "{room}"]
)
def test_a_pattern_mqtt_can_not_subscribe_to_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"needs exactly one level|of their own|last level"):
        subscriptions(Z2M, "a", pattern)
