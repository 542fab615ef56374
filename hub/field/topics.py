"""Where on the broker a centre says what it knows of its rooms.

    <prefix>/device/linli_<centre>/<room>/config    what Home Assistant shall make of a room
    linli/<centre>/rooms/<room>/state               what is known of it
    linli/<centre>/status                           online, or offline by last will
    <prefix>/status                                 Home Assistant's own: it has just started

The centre is a level of its own, so that one filter finds all that is ours and nothing of another
centre's, whatever the two are called.
"""

from __future__ import annotations

import msgspec


class Topics(msgspec.Struct, frozen=True):
    """All of one centre's; two that are equal are the same place."""

    prefix: str
    centre: str

    @property
    def status(self) -> str:
        return f"linli/{self.centre}/status"

    @property
    def echo(self) -> str:
        """We speak to ourselves here: what the broker had kept for us has come before it."""
        return f"linli/{self.centre}/hub/echo"

    @property
    def birth(self) -> str:
        return f"{self.prefix}/status"

    @property
    def kept(self) -> tuple[str, str]:
        """Filters for everything of ours that the broker keeps for each room."""
        return self.config("+"), self.state("+")

    def config(self, room: str) -> str:
        return f"{self.prefix}/device/linli_{self.centre}/{room}/config"

    def state(self, room: str) -> str:
        return f"linli/{self.centre}/rooms/{room}/state"

    def unique(self, room: str) -> str:
        """A name that stays the same however rooms are called.

        >>> Topics("homeassistant", "hongmei").unique("gym")
        'linli_hongmei_gym'
        """
        return f"linli_{self.centre}_{room}"
