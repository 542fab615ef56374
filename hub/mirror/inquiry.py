"""What a server has: asked in InfluxQL (1.x, 3.x) or Flux (2.x), for `linli mirror verify`.

2.x is recognised by its version; everything else that calls itself InfluxDB understands InfluxQL.
What does not call itself InfluxDB keeps data in its own way, and is not compared.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from hub.configuration.keeping import MirrorSettings
from hub.domain.room import Text
from hub.mirror.lines import NS
from hub.mirror.rules import SHOWN
from hub.mirror.sink import trusted

TIMEOUT_S = 120.0
FIELDS = ("value", "text", "quality", "reason")

Key = tuple[str, tuple[tuple[str, str], ...]]
"""Measurement and tags of a series."""
Rows = dict[int, dict[str, float | str]]
"""Time to fields."""


class InquiryError(Exception):
    """Nothing was compared; the text says why, and what to do."""

    def __init__(self, reason: str, **params: str | int) -> None:
        super().__init__(reason)
        self.text = Text(f"mirror.ask.{reason}", dict(params))


class Range(NamedTuple):
    """``from_ms <= time < to_ms``, of one centre."""

    centre: str
    from_ms: int
    to_ms: int


class Inquiry:
    """One server."""

    def __init__(self, settings: MirrorSettings, token: str) -> None:
        self._settings = settings
        self._headers = {"Authorization": f"Token {token}"} if token else {}

    def version(self) -> str:
        """What the server calls itself.

        Raises:
            InquiryError: it does not answer, or not like InfluxDB.
        """
        status, headers, _ = self._ask("GET", "/ping", None, {})
        version = headers.get("X-Influxdb-Version", "").removeprefix("v")
        if not version:
            raise InquiryError("no_influxdb", status=status)
        return version

    def series(self, version: str, measurement: str, within: Range) -> dict[Key, Rows]:
        """All points of a measurement.

        Raises:
            InquiryError: the server refused, or what it says is no table.
            SetupError: the certificates cannot be used.
        """
        ask = self._flux if version.startswith("2.") else self._influxql
        try:
            return ask(measurement, within)
        except (ValueError, LookupError) as error:
            raise InquiryError("odd", detail=type(error).__name__) from error

    def _influxql(self, measurement: str, within: Range) -> dict[Key, Rows]:
        columns = ", ".join(map(_quoted, FIELDS))
        query = (
            f"SELECT {columns} FROM {_quoted(measurement)}"  # noqa: S608 - quoted, and not SQL
            f" WHERE {_quoted('centre')} = {_literal(within.centre)}"
            f" AND time >= {within.from_ms * NS} AND time < {within.to_ms * NS} GROUP BY *"
        )
        asked = {"db": self._settings.bucket, "epoch": "ns", "q": query}
        body = self._body("/query", urlencode(asked).encode(), "application/x-www-form-urlencoded")
        found: dict[Key, Rows] = {}
        for result in json.loads(body)["results"]:
            if "error" in result:
                raise _refused(200, str(result["error"]))
            for series in result.get("series", ()):
                rows = found.setdefault(_key(measurement, series.get("tags", {})), {})
                for at, *values in series["values"]:
                    fields = zip(series["columns"][1:], values, strict=True)
                    rows[int(at)] = {key: _plain(v) for key, v in fields if v is not None}
        return found

    def _flux(self, measurement: str, within: Range) -> dict[Key, Rows]:
        query = (
            f"from(bucket: {_flux_text(self._settings.bucket)})"
            f" |> range(start: time(v: {within.from_ms * NS}), stop: time(v: {within.to_ms * NS}))"
            f" |> filter(fn: (r) => r._measurement == {_flux_text(measurement)}"
            f" and r.centre == {_flux_text(within.centre)})"
        )
        asked = {"query": query, "dialect": {"annotations": [], "dateTimeFormat": "RFC3339Nano"}}
        path = f"/api/v2/query?{urlencode({'org': self._settings.org})}"
        body = self._body(path, json.dumps(asked).encode(), "application/json")
        found: dict[Key, Rows] = {}
        for row in _tables(body.decode()):
            field = row.pop("_field")
            if field not in FIELDS:
                continue
            value, at = row.pop("_value"), nanoseconds(row.pop("_time"))
            hidden = ("", "result", "table", "_start", "_stop", "_measurement")
            tags = {key: tag for key, tag in row.items() if key not in hidden and tag}
            fields = found.setdefault(_key(measurement, tags), {}).setdefault(at, {})
            fields[field] = float(value) if field == "value" else value
        return found

    def _body(self, path: str, body: bytes, kind: str) -> bytes:
        status, _, answer = self._ask("POST", path, body, {"Content-Type": kind})
        if status != 200:
            raise _refused(status, answer.decode("utf-8", "replace").strip()[:SHOWN])
        return answer

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        address = urlsplit(self._settings.url)
        try:
            with closing(self._connection()) as connection:
                whole = f"{address.path.rstrip('/')}{path}"
                connection.request(method, whole, body, {**self._headers, **headers})
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
        except ssl.SSLError as error:
            raise InquiryError("tls", detail=error.reason or str(error)) from error
        except (OSError, http.client.HTTPException) as error:
            raise InquiryError("unreachable", detail=str(error) or type(error).__name__) from error

    def _connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self._settings.url)
        host, port = address.hostname or "", address.port
        if address.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        tls = self._settings.tls
        context = trusted(tls.ca_file if tls else None)
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)


def _refused(status: int, said: str) -> InquiryError:
    """1.x answers 200 also where it knows no such database."""
    if status in (401, 403):
        return InquiryError("unauthorized", status=status)
    if status == 404 or "database not found" in said:
        return InquiryError("not_found", detail=said)
    return InquiryError("refused", status=status, detail=said)


def nanoseconds(time: str) -> int:
    """RFC 3339 with up to nine digits.

    >>> nanoseconds("2026-11-22T04:00:00.000000001Z")
    1795320000000000001
    """
    second, _, fraction = time.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(second).replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


def _key(measurement: str, tags: dict[str, str]) -> Key:
    return measurement, tuple(sorted((key, tag) for key, tag in tags.items() if tag))


def _plain(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def _tables(text: str) -> Iterator[dict[str, str]]:
    """Rows of Flux' CSV: tables with a head each, and an empty line between them."""
    head: list[str] | None = None
    for row in csv.reader(io.StringIO(text)):
        if not row:
            head = None
        elif head is None:
            head = row
        else:
            yield dict(zip(head, row, strict=True))


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _flux_text(value: str) -> str:
    return _quoted(value).replace("${", "\\${")
