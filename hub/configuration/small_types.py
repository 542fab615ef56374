"""The small types that several parts of a configuration use: names, counts, lists left open."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

Language = Literal["zh-CN", "zh-TW", "en"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]


def _some_name(name: dict[Language, Text]) -> dict[Language, Text]:
    if not name:
        raise PydanticCustomError("no_name", "no name")
    return name


def _empty_list(value: Any) -> Any:
    # `devices:` with nothing below it is how people leave a list for later.
    return [] if value is None else value


Name = Annotated[dict[Language, Text], AfterValidator(_some_name)]
LeftOpen = BeforeValidator(_empty_list)
