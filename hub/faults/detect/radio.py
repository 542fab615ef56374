"""How well a device is heard, against how well it is usually heard."""

from __future__ import annotations

from collections import deque
from typing import Any

EVERY_MS = 60_000  # a burst of words is one sample
LATELY, USUALLY = 0.2, 1 / 400
KNOWN_AFTER = 30
RECENT = 4  # samples that must all be poor: one that is not came the whole way
FLOOR, FLOOR_LEFT = 5.0, 10.0
"""Of 100: below, words are lost whatever is usual."""
FALLEN_BY, SPREADS, FALLEN_TO = 6.0, 4.0, 0.6
OUTLIER = 3.0  # spreads: what lies further off counts as that, or a fault would be learnt as usual
DBM_AT_0 = -115  # a signal strength becomes a number that is larger than 0 while it is heard


class Radio:
    """``level`` lately, ``usual``, and ``spread``, how far single samples lie from it."""

    __slots__ = (
        "_recent",
        "_sampled_ms",
        "_source",
        "is_weak",
        "level",
        "seen",
        "since_ms",
        "spread",
        "usual",
    )

    def __init__(self, kept: Any) -> None:
        usual, spread, seen, level, is_weak = kept or (0.0, 0.0, 0, 0.0, False)
        self.usual: float = usual
        self.spread: float = spread
        self.seen: int = seen
        self.level: float = level
        self.is_weak: bool = is_weak
        self.since_ms = 0
        self._sampled_ms: int | None = None
        self._source = ""
        self._recent: deque[float] = deque(maxlen=RECENT)

    def kept(self) -> Any:
        if not self.seen:
            return None
        levels = [round(level, 1) for level in (self.usual, self.spread, self.level)]
        return levels[0], levels[1], self.seen, levels[2], self.is_weak

    def take(self, channel: str, value: float, now_ms: int) -> bool:
        """True if it turned weak, or well again."""
        if self._sampled_ms is not None and now_ms - self._sampled_ms < EVERY_MS:
            return False
        if channel != self._source:
            if self._source == "link.quality":
                return False  # it tells the same twice
            self._source = channel
        self._sampled_ms = now_ms
        self._learn(value if channel == "link.quality" else value - DBM_AT_0)
        was, self.is_weak = self.is_weak, self._judge()
        if self.is_weak and not was:
            self.since_ms = now_ms
        return was is not self.is_weak

    def _learn(self, sample: float) -> None:
        self.seen = min(self.seen + 1, 10_000)
        if self.seen == 1:
            self.level = self.usual = sample
            return
        self._recent.append(sample)
        self.level += (sample - self.level) * LATELY
        if not self.is_weak:
            rate = max(USUALLY, 1 / self.seen)
            most = max(FALLEN_BY, OUTLIER * self.spread)
            off = max(-most, min(most, sample - self.usual))
            self.usual += off * rate
            self.spread += (abs(off) - self.spread) * rate

    def _judge(self) -> bool:
        if self.seen < 8:
            return False
        if self.level <= (FLOOR_LEFT if self.is_weak else FLOOR):
            return self.usual > FLOOR_LEFT or self.level <= FLOOR
        if self.seen < KNOWN_AFTER or not self._recent:
            return False
        fall = max(FALLEN_BY, SPREADS * self.spread)
        if max(self._recent) > self.usual - fall / 2:
            return False
        if self.is_weak:
            return self.level < self.usual - fall / 2 and self.level < self.usual * 0.75
        return self.level < self.usual - fall and self.level < self.usual * FALLEN_TO
