"""How long one piece of upkeep may hold the writer, whatever the machine and however much there is.

What is slow to make (packing, reading) is made in a thread of its own before. What is left is
rows, and a piece takes as many of them as fit into its time; the next piece takes the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

SLICE_S = 0.012
"""Then the slice is committed, which takes as long again: together well under 50 ms."""
T = TypeVar("T")


def in_slice(items: Iterable[T], clock: Callable[[], float] = time.monotonic) -> Iterator[T]:
    """The first of some items, as long as there is time; at least one, or nothing would go on."""
    end_s = clock() + SLICE_S
    for item in items:
        yield item
        if clock() >= end_s:
            return
