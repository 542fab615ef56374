"""One line of a terminal that says how far a long work is."""

from __future__ import annotations

import time
from typing import TextIO

EVERY_S = 0.2
WIDTH = 30
STAGES = {
    "copy": "copying",
    "write": "writing",
    "verify": "verifying",
    "unpack": "unpacking",
    "check": "checking",
}


class Bar:
    """A ``Progress``; silent where nobody watches."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_shown = out.isatty()
        self._told = 0.0
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._is_shown or (stage == self._stage and now - self._told < EVERY_S):
            return
        self._told, self._stage = now, stage
        print(f"\r{line(stage, done, total)}", end="", file=self._out, flush=True)

    def clear(self) -> None:
        if self._stage:
            print("\r\033[K", end="", file=self._out, flush=True)


def line(stage: str, done: int, total: int) -> str:
    """
    >>> line("copy", 500_000_000, 1_000_000_000)
    'copying    ###############--------------- 50%  500 of 1000 MB'
    >>> line("check", 0, 1)
    'checking   ------------------------------  0%'
    """
    share = done / total if total else 1.0
    full = int(share * WIDTH)
    size = f"  {done // 1_000_000} of {total // 1_000_000} MB" if total >= 1_000_000 else ""
    return f"{STAGES[stage]:<10} {'#' * full}{'-' * (WIDTH - full)} {share:3.0%}{size}"
