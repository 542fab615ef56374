"""Screens that nobody touches take turns by the clock, so that all of a house show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hub.domain.views import HubView

Item = TypeVar("Item")
WALL_S, LANGUAGE_S = 15, 20


def turn(hub: HubView, every_s: int, count: int) -> int:
    """Which of so many is on now, from 0. A demo's clock may run faster; people read no faster."""
    return int(hub.now_ms() / (1000 * every_s * hub.speed())) % max(count, 1)


def leaf(items: Sequence[Item], most: int, nth: int) -> Sequence[Item]:
    """One of several pages, all about equally full.

    >>> [leaf("abcdefgh", 3, nth) for nth in range(3)], pages("abcdefgh", 3)
    (['abc', 'def', 'gh'], 3)
    """
    size = -(-len(items) // max(pages(items, most), 1))
    return items[nth * size : (nth + 1) * size]


def pages(items: Sequence[Item], most: int) -> int:
    return -(-len(items) // most)
