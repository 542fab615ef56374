"""JSON as devices really send it: tolerant inside, strict about the whole.

A payload is refused whole if it is not JSON, not an object, or nested deeper than any device
nests. Inside a good one a single odd value must cost no more than its own channel, also where
strict JSON would refuse the text: some publishers write bare ``NaN`` and ``Infinity``, and numbers
no machine can hold. Those come out as NaN, and the judge marks them.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

MAX_DEPTH = 64  # a device nests three or four levels; a thousand is an attack on the parser
LONGEST_INTEGER = 20  # digits; longer ones fit no integer anybody stores

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NOT_BRACKET = re.compile(rb"[^\[\]{}]+")
_PAIR = re.compile(rb"\[\]|\{\}")
_decode = msgspec.json.Decoder().decode


def read_json(payload: bytes) -> Any:
    """Parse a payload.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested too deep.
    """
    if is_refused(payload):
        raise ValueError("not UTF-8, or nested too deep")
    try:
        return _decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return _tolerant(payload)


def read_object(payload: bytes) -> dict[str, Any] | None:
    """Parse a payload that has to be an object; None if it is not."""
    try:
        value = read_json(payload)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def is_refused(payload: bytes) -> bool:
    """Is it no UTF-8, or nested deeper than `MAX_DEPTH`? A typed decoder skips what it ignores.

    Almost always answered by counting brackets.
    """
    if not payload.isascii() and not _is_utf8(payload):
        return True
    if payload.count(b"{") + payload.count(b"[") <= MAX_DEPTH:
        return False
    # Take away the innermost pairs, level by level: what is left then is deeper, or unbalanced.
    left = _NOT_BRACKET.sub(b"", _STRING.sub(b"", payload))
    for _ in range(MAX_DEPTH):
        fewer = _PAIR.sub(b"", left)
        if len(fewer) == len(left):
            break
        left = fewer
    return bool(left)


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _tolerant(payload: bytes) -> Any:
    try:
        return json.loads(payload.decode("utf-8"), parse_int=_integer)
    except RecursionError as error:  # we allow little, but our caller may be deep itself
        raise ValueError("nested too deep") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else math.nan
