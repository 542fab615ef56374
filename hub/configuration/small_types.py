"""The small types that several parts of a configuration use: names, counts, lists left open."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from hub.domain.typed import clean_name

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


def _host_name(name: str) -> str:
    if not _HOST_NAME.fullmatch(name):
        raise PydanticCustomError("bad_host_name", "no name of a host")
    return name.lower()


_HOST_NAME = re.compile(r"(https://)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?")


def _account_name(name: str) -> str:
    if clean_name(name) != name:
        raise PydanticCustomError("bad_account_name", "no name of an account")
    return name


AccountName = Annotated[str, AfterValidator(_account_name)]
HostName = Annotated[str, AfterValidator(_host_name)]
