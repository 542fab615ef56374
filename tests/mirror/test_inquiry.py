"""What `verify` asks of each kind of server, and how it reads the answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.mirror.inquiry import Inquiry, InquiryError, Range
from tests.mirror.making import NOON_MS, TOKEN, mirror_settings

FLUX = (
    ",result,table,_start,_stop,_time,_value,_field,_measurement,centre,device\r\n"
    ",_result,0,s,s,2026-11-22T04:00:00.000000001Z,21.5,value,temperature,hongmei,climate\r\n"
    ",_result,0,s,s,2026-11-22T04:00:01Z,22,value,temperature,hongmei,climate\r\n"
    "\r\n"
    ",result,table,_start,_stop,_time,_value,_field,_measurement,centre,device,part\r\n"
    ',_result,1,s,s,2026-11-22T04:00:00.000000001Z,good,quality,temperature,hongmei,climate,""\r\n'
    ',_result,2,s,s,2026-11-22T04:00:00Z,"a, ""b""",text,temperature,hongmei,io8,di1\r\n'
    "\r\n"
)
WITHIN = Range("hongmei", NOON_MS, NOON_MS + 60_000)


class Canned(ThreadingHTTPServer):
    version = "v2.7.1"
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    server: Canned

    def do_GET(self) -> None:
        self.send_response(204)
        if self.server.version:
            self.send_header("X-Influxdb-Version", self.server.version)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        answer = FLUX.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def canned() -> Iterator[Canned]:
    with Canned() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def inquiry(server: Canned) -> Inquiry:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return Inquiry(mirror_settings(url, bucket='li"n'), TOKEN)


def test_influxdb_2_is_asked_in_flux_and_its_tables_are_put_together(canned: Canned) -> None:
    asking = inquiry(canned)

    found = asking.series(asking.version(), "temperature", WITHIN)

    noon = NOON_MS * 1_000_000
    assert found == {
        ("temperature", (("centre", "hongmei"), ("device", "climate"))): {
            noon + 1: {"value": 21.5, "quality": "good"},
            noon + 1_000_000_000: {"value": 22.0},
        },
        ("temperature", (("centre", "hongmei"), ("device", "io8"), ("part", "di1"))): {
            noon: {"text": 'a, "b"'}
        },
    }
    path, headers, body = canned.asked[0]
    assert parse_qs(urlsplit(path).query) == {"org": ["centre"]}
    assert headers["Authorization"] == f"Token {TOKEN}"
    assert 'from(bucket: "li\\"n")' in json.loads(body)["query"]


def test_a_server_that_is_no_influxdb_is_not_compared(canned: Canned) -> None:
    canned.version = ""

    with pytest.raises(InquiryError, match="does not say that it is InfluxDB"):
        inquiry(canned).version()


def test_a_refusal_is_told_with_the_servers_words(canned: Canned) -> None:
    canned.status = 404

    with pytest.raises(InquiryError, match="HTTP 404"):
        inquiry(canned).series("2.7.1", "temperature", WITHIN)


def test_a_server_that_is_away_is_told() -> None:
    asking = Inquiry(mirror_settings("http://127.0.0.1:1"), TOKEN)

    with pytest.raises(InquiryError, match="cannot be asked"):
        asking.version()
