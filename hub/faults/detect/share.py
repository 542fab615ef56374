"""How much of what comes is spoilt, lately and usually."""

from __future__ import annotations

LATELY = 1 / 8
USUALLY = 1 / 2_000
FEWEST = 3  # one glitch is none, and two may be one
HIGH, ABOVE_USUAL = 0.3, 4.0
LOW = 0.5  # of what was too much


class Share:
    """``is_high`` turns on at a share that is too high for this device, and off at half of it."""

    __slots__ = ("in_a_row", "is_high", "level", "seen", "usual")

    def __init__(self, usual: float = 0) -> None:
        self.usual = usual
        self.level = 0.0
        self.seen = 0  # how many were spoilt; 0 again once that is long ago
        self.is_high = False
        self.in_a_row = 0

    def stand(self) -> None:
        """It was too much before this start."""
        self.is_high, self.level, self.seen = True, 2 * HIGH, FEWEST

    def add(self, is_spoilt: bool) -> bool:
        """Take in one; True if it matters now or did before.

        >>> share = Share()
        >>> [share.add(True) for _ in range(3)]
        [False, False, True]
        """
        self.level += (is_spoilt - self.level) * LATELY
        if is_spoilt:
            self.seen += 1
            self.in_a_row += 1
        else:
            self.in_a_row = 0
            if self.level < 0.001:
                self.seen = 0
        was = self.is_high
        bound = max(HIGH, self.usual * ABOVE_USUAL)
        self.is_high = self.level >= (bound * LOW if was else bound) and self.seen >= FEWEST
        if not self.is_high:
            self.usual += (is_spoilt - self.usual) * USUALLY
        return was is not self.is_high
