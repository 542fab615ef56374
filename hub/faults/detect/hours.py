"""How long a room was open: the time in which people could have moved its sensors."""

from __future__ import annotations


class Hours:
    """Its own clock, which stands still while the room is closed."""

    __slots__ = ("_closed_ms", "_since_ms", "ever_closed")

    def __init__(self) -> None:
        self._closed_ms = 0
        self._since_ms: int | None = None  # closed since
        self.ever_closed = False

    @property
    def is_closed(self) -> bool:
        return self._since_ms is not None

    def turn(self, is_closed: bool, now_ms: int) -> None:
        """
        >>> hours = Hours()
        >>> hours.turn(True, 1_000); hours.turn(False, 4_000)
        >>> hours.open_ms(5_000)
        2000
        """
        if is_closed is self.is_closed:
            return
        if is_closed:
            self._since_ms, self.ever_closed = now_ms, True
        elif self._since_ms is not None:
            self._closed_ms += now_ms - self._since_ms
            self._since_ms = None

    def open_ms(self, now_ms: int) -> int:
        """What its clock says."""
        since_ms = self._since_ms
        return (now_ms if since_ms is None else since_ms) - self._closed_ms
