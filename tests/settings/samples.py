"""A small, right centre, from which the tests make wrong ones."""

from __future__ import annotations

from hub.configuration.problems import Problem
from hub.settings import SettingsError, parse

GOOD = """\
centre: {id: hongmei, name: {zh-CN: 红梅邻里中心}, timezone: Asia/Shanghai}
rooms:
  - {id: cabin, name: {en: Health cabin}, kind: health_cabin, capacity: 2}
  - {id: hall, name: {en: Hall}, floor: 2, kind: living_room, zones: [{id: bay1}, {id: bay2}]}
doors:
  - {id: front, between: [hall, outside]}
devices:
  - {id: bp, driver: and_tm265x, room: cabin, link: {serial: /dev/ttyUSB0, baud: 2400}}
  - {id: seat, driver: zigbee2mqtt, room: hall, zone: bay1, link: {mqtt: zigbee2mqtt/seat}}
  - {id: front-door, driver: zigbee2mqtt, door: front, link: {mqtt: zigbee2mqtt/front}}
"""


def problems(text: str) -> list[Problem]:
    """What is wrong with a text; the test fails if nothing is."""
    try:
        parse(text)
    except SettingsError as error:
        return error.problems
    raise AssertionError("the text was accepted")


def found(text: str) -> list[tuple[str, int, int]]:
    """The same, as code, line and column."""
    return [(item.code, item.place.line, item.place.column) for item in problems(text)]


def spot(text: str, marked: str) -> tuple[int, int]:
    """Line and column of what follows ``^`` in a piece that occurs once in the text."""
    before, _, after = marked.partition("^")
    assert text.count(before + after) == 1, f"{before + after!r} must occur once"
    at = text.index(before + after) + len(before)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def changed(old: str, new: str) -> str:
    """The good centre with one change."""
    assert GOOD.count(old) == 1, f"{old!r} must name one place of the sample"
    return GOOD.replace(old, new)
