"""How every bench prints a figure, the need behind it, and the machine it was measured on.

A missed need is printed as MISSED and fails no bench, since a busy machine would do the same; what
fails a bench is work that is missing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """What a figure must be: at most (or ``at_least``) so much."""

    bound: float
    unit: str
    at_least: bool = False

    def verdict(self, measured: float) -> str:
        """
        >>> Need(5, "ms").verdict(1.24)
        '1.24 ms (need <= 5: met)'
        >>> Need(8000, "/s", at_least=True).verdict(7000)
        '7000 /s (need >= 8000: MISSED)'
        """
        is_met = measured >= self.bound if self.at_least else measured <= self.bound
        sign = ">=" if self.at_least else "<="
        word = "met" if is_met else "MISSED"
        figure = f"{measured:.0f}" if abs(measured) >= 100 else f"{measured:.3g}"
        return f"{figure} {self.unit} (need {sign} {self.bound:g}: {word})"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all does not exceed.

    >>> quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def machine() -> str:
    """Processor, cores and present load: without them an absolute figure says little."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith(("model name", "Model"))
    ]
    name, load = (names or ["unknown processor"])[0], os.getloadavg()[0]
    return f"{name}, {os.cpu_count()} cores, load {load:.2f}"
