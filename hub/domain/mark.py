"""What the rooms' rules took in besides the changes of sensors, so that a past day can be replayed.

The store keeps changes, not repeats; but that a sensor speaks at all is evidence too. So each
silence is kept that a rule could notice, and now and then a *frame*: all that the rules remember.
From a frame on, changes and marks say everything they heard.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class MarkKind(StrEnum):
    """``what`` is a device, unless it says a room; ``detail`` is named behind the dash."""

    FRAME = "k"  # all that is remembered - the frame; ``what`` is empty
    WORD = "w"  # the device speaks after a silence - when it says so, if that is not ``at_ms``
    SAID = "s"  # a reading of a channel of which nothing was heard live yet - the reading
    ONLINE = "o"  # its convention, not the device, says that it is there - 1, or gone - 0
    LINK = "l"  # its link or gateway is lost - [name, code], or found - [name]
    FAULTY = "f"  # it became faulty - 1, or well - 0
    SLOT = "p"  # something else is planned for the room - the slot
    OVERRIDE = "v"  # staff said something of the room, or took it back
    EMPTY = "e"  # the room was proven empty by a whole night without anybody


class Mark(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """``order``: how many changes were observed in the same millisecond before it."""

    kind: MarkKind
    at_ms: int
    order: int = 0
    what: str = ""
    last_ms: int | None = None  # WORD, ONLINE: it was heard up to then; None: not since the start
    detail: Any = None
