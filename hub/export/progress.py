"""One line of a terminal: how far an export is, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

EVERY_S = 0.2
WIDTH = 30


class Bar:
    """Silent where nobody watches. Used as a context; nothing of it stays."""

    def __init__(
        self, out: TextIO, is_shown: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._is_shown = is_shown
        self._clock = clock
        self._begun = self._told = clock()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            print("\r\033[K", end="", file=self._out, flush=True)

    def tell(self, share: float, rows: int) -> None:
        now = self._clock()
        if self._is_shown and now - self._told >= EVERY_S:
            self._told = now
            text = line(share, rows, rows / (now - self._begun))
            print(f"\r\033[K{text}", end="", file=self._out, flush=True)


def line(share: float, rows: int, per_second: float) -> str:
    """
    >>> line(0.5, 1_200_000, 98_000)
    '###############---------------  50%  1,200,000 rows, 98,000/s'
    """
    full = int(min(share, 1) * WIDTH)
    bar = f"{'#' * full}{'-' * (WIDTH - full)}"
    return f"{bar} {min(share, 1):4.0%}  {rows:,} rows, {per_second:,.0f}/s"
