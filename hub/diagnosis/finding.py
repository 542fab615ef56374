"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do if it is not well."""

    subject: str
    state: State
    what: str
    remedy: str = ""
