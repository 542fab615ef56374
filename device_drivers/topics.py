"""Which MQTT topics belong to a device, and what is left of a topic without the device.

A driver writes its topics once, with a hole: ``tele/{device}/+``. What fills the hole comes from
the configuration and may be several levels (``zigbee2mqtt/hall/front door``), so a topic can not
simply be split. From pattern and fill follow the filters to subscribe to; from a concrete topic
follows the subtopic, the pattern without the hole and with its wildcards filled:

    pattern                  fill               topic                            subtopic
    {device}                 zigbee2mqtt/door   zigbee2mqtt/door                 ""
    {device}/availability    zigbee2mqtt/door   zigbee2mqtt/door/availability    availability
    tele/{device}/+          gym                tele/gym/SENSOR                  tele/SENSOR

Between the two stands the bound pattern, in which the fill keeps the braces of the hole
(``tele/{gym}/+``): it says both what to match and what to leave out.
"""

from __future__ import annotations

from device_drivers.contract import MqttDriver

HOLE = "{device}"
BASE = "{base}"
WILDCARDS = frozenset("+#")


def subscriptions(driver: MqttDriver, fill: str, pattern: str | None = None) -> dict[str, str]:
    """The filters to subscribe to for one device, each with its bound pattern.

    Args:
        driver: What the device speaks.
        fill: What stands for ``{device}``, as the configuration says it.
        pattern: Another layout than the driver's own, with one ``{device}``; it replaces them all.

    Raises:
        ValueError: the fill or the pattern can not be part of a subscription; says why.
    """
    check_fill(fill)
    patterns = driver.topics if pattern is None else (check_pattern(pattern),)
    return {p.replace(HOLE, fill): p.replace(HOLE, "{" + fill + "}") for p in patterns}


def subtopic(bound: str, topic: str) -> str | None:
    """What of a concrete topic lies outside the device's own part; None if it does not match.

    >>> subtopic("tele/{gym}/+", "tele/gym/SENSOR")
    'tele/SENSOR'
    >>> subtopic("{zigbee2mqtt/hall/front door}", "zigbee2mqtt/hall/front door")
    ''
    """
    start, end = bound.index("{"), bound.rindex("}")
    before, fill, after = bound[:start], bound[start + 1 : end], bound[end + 1 :]
    levels = topic.split("/")
    head = before.split("/")[:-1]
    own = fill.split("/")
    middle, rest = len(head), len(head) + len(own)
    if levels[middle:rest] != own:
        return None
    if not (_fits(head, levels[:middle]) and _fits(after.split("/")[1:], levels[rest:])):
        return None
    return "/".join(levels[:middle] + levels[rest:])


def parents(driver: MqttDriver, fill: str, pattern: str | None = None) -> tuple[str, ...]:
    """The topics that carry the health of what the device depends on (a bridge, a gateway).

    The base is what stands before the hole of a given pattern, else the first level of the fill:
    a base of several levels has to be told by ``pattern: site/zigbee2mqtt/{device}``.
    """
    prefix = "" if pattern is None else pattern.partition(HOLE)[0].rstrip("/")
    base = prefix if prefix and not WILDCARDS & set(prefix) else fill.partition("/")[0]
    return tuple(parent.replace(BASE, base) for parent in driver.parents)


def match(driver: MqttDriver, topic: str) -> tuple[str, str] | None:
    """Read a topic without knowing the device: (what fills the hole, subtopic).

    A parent's topic answers with its base (``zigbee2mqtt``, ``bridge/state``). None for topics of
    no device: commands (``.../set``) and the convention's own tree, which the driver declares.
    The pattern that says most wins, so that ``door/availability`` is no device of that name.
    """
    for parent in driver.parents:
        if found := _holding(parent.replace(BASE, HOLE), topic):
            return found
    if is_aside(driver, topic):
        return None
    for pattern in sorted(driver.topics, key=len, reverse=True):
        if found := _holding(pattern, topic):
            return found
    return None


def is_aside(driver: MqttDriver, topic: str) -> bool:
    """Is it a command, or of the convention's own tree? Then it is no reading of any device."""
    patterns = (pattern.replace(BASE, HOLE) for pattern in driver.not_readings)
    return any(_holding(pattern, topic) for pattern in patterns)


def recognises(driver: MqttDriver, topic: str) -> bool:
    """Would this driver be the one to ask, if only the topic is known?

    A pattern that is all hole fits every topic, so the convention's usual base must agree too.
    """
    if driver.base and not topic.startswith(driver.base + "/"):
        return False
    return is_aside(driver, topic) or match(driver, topic) is not None


def check_fill(fill: str) -> str:
    """Return the fill, if it can stand in a topic.

    Raises:
        ValueError: with the reason.
    """
    if not fill or WILDCARDS & set(fill) or "\0" in fill:
        raise ValueError(f"{fill!r} is no topic of one device: it is empty or holds + or #")
    if fill.startswith("/") or fill.endswith("/"):
        raise ValueError(f"{fill!r} begins or ends with /; leave it out")
    return fill


def check_pattern(pattern: str) -> str:
    """Return the pattern, if it has one hole that is whole levels, and wildcards MQTT allows.

    Raises:
        ValueError: with the reason.
    """
    levels = pattern.split("/")
    if levels.count(HOLE) != 1 or pattern.count("{") != 1 or pattern.count("}") != 1:
        raise ValueError(f"{pattern!r} needs exactly one level {HOLE}, as in tele/{HOLE}/+")
    if any(WILDCARDS & set(level) and len(level) > 1 for level in levels):
        raise ValueError(f"{pattern!r}: + and # must be a level of their own")
    if "#" in levels[:-1]:
        raise ValueError(f"{pattern!r}: # may only be the last level")
    return pattern


def _fits(wanted: list[str], levels: list[str]) -> bool:
    """Do levels match a filter's levels? ``#`` takes all that follow, also none."""
    if wanted and wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(
        want in ("+", level) for want, level in zip(wanted, levels, strict=True)
    )


def _holding(pattern: str, topic: str) -> tuple[str, str] | None:
    """Match with an unknown fill: the hole takes what the other levels leave, at least one."""
    before, _, after = pattern.partition(HOLE)
    head, tail = before.split("/")[:-1], after.split("/")[1:]
    levels = topic.split("/")
    if tail and tail[-1] == "#":
        return _holding_tree(head, tail[:-1], levels)
    end = len(levels) - len(tail)
    if not all(levels[len(head) : end]) or end <= len(head):
        return None
    if not (_fits(head, levels[: len(head)]) and _fits(tail, levels[end:])):
        return None
    return "/".join(levels[len(head) : end]), "/".join(levels[: len(head)] + levels[end:])


def _holding_tree(head: list[str], tail: list[str], levels: list[str]) -> tuple[str, str] | None:
    """The same for a pattern that ends in ``#``: the shortest hole that lets the rest match."""
    for end in range(len(head) + 1, len(levels) - len(tail) + 1):
        if _fits(head, levels[: len(head)]) and _fits(tail, levels[end : end + len(tail)]):
            return "/".join(levels[len(head) : end]), "/".join(levels[: len(head)] + levels[end:])
    return None
