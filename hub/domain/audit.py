"""What people decided: each change with its author, before and after."""

from __future__ import annotations

import msgspec


class Decided(msgspec.Struct, frozen=True):
    """Somebody changed something. Travels on the bus; the audit record keeps it.

    ``before`` and ``after`` are short and readable; never a password, a token or a health value.
    """

    at_ms: int
    who: str  # the name of a principal
    action: str  # for example "override.add"
    target: str  # for example a room's id
    before: str = ""
    after: str = ""
