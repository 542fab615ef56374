"""What a configuration says about giving rooms back to the field."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from edge.settings import Section

_PREFIX = re.compile(r"[^\s/+#$\0][^\s+#\0]{0,79}")


def _topic_prefix(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix) or prefix.endswith("/") or "//" in prefix:
        raise PydanticCustomError("bad_topic_prefix", "no beginning of a topic")
    return prefix


def _named_is_on(value: Any) -> Any:
    # `homeassistant:` with nothing behind it is how people say "as usual".
    return {} if value is None else value


class HomeAssistantSection(Section):
    """Rooms as devices of Home Assistant, which finds them by itself: docs/homeassistant.md."""

    prefix: Annotated[str, AfterValidator(_topic_prefix)] = "homeassistant"
    """Where Home Assistant looks for devices; its own setting is called discovery prefix."""


class PublishSection(Section):
    """Who else is told of the rooms, through the broker."""

    homeassistant: Annotated[HomeAssistantSection | None, BeforeValidator(_named_is_on)] = None
    """Named: Home Assistant is told; left out: what it was told before is taken back."""
