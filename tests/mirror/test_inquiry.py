"""What `verify` asks of each kind of server, and how it reads the answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.configuration.keeping import MirrorTls
from hub.mirror.inquiry import Inquiry, InquiryError, Range
from hub.mirror.sink import SetupError
from hub.texts import LANGUAGES, render
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
REASONS = ["no_influxdb", "unauthorized", "not_found", "refused", "unreachable", "tls", "odd"]
WITHIN = Range("hongmei", NOON_MS, NOON_MS + 60_000)


class Canned(ThreadingHTTPServer):
    version = "v2.7.1"
    status = 200
    answer = FLUX

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
        answer = self.server.answer.encode()
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

    with pytest.raises(InquiryError, match="no_influxdb"):
        inquiry(canned).version()


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (403, "unauthorized"), (404, "not_found"), (500, "refused")],
)
def test_a_refusal_has_its_reason(canned: Canned, status: int, code: str) -> None:
    canned.status = status

    with pytest.raises(InquiryError) as refused:
        inquiry(canned).series("2.7.1", "temperature", WITHIN)

    assert refused.value.text.code == f"mirror.ask.{code}"


@pytest.mark.parametrize("version", ["1.6.7", "2.7.1"])
def test_an_answer_that_is_no_table_is_told(canned: Canned, version: str) -> None:
    canned.answer = "<html>Please log in,\nor else</html>"

    with pytest.raises(InquiryError, match="odd"):
        inquiry(canned).series(version, "temperature", WITHIN)


def test_a_certificate_file_that_is_not_there_is_told() -> None:
    tls = MirrorTls(ca_file="/nowhere.pem")
    asking = Inquiry(mirror_settings("https://127.0.0.1:1", tls=tls), TOKEN)

    with pytest.raises(SetupError) as refused:
        asking.version()

    assert refused.value.text.code == "mirror.ca_file"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_says_that_nothing_was_compared_and_what_to_do(
    reason: str, language: str
) -> None:
    told = render(InquiryError(reason, status=418, detail="teapot").text, language)

    assert {"en": "nothing was compared", "zh-CN": "没有比较", "zh-TW": "沒有比較"}[
        language
    ] in told
    assert re.search({"en": "Check|Give|Try"}.get(language, "请|請"), told)
    assert "418" in told or "teapot" in told


def test_a_server_that_is_away_is_told() -> None:
    asking = Inquiry(mirror_settings("http://127.0.0.1:1"), TOKEN)

    with pytest.raises(InquiryError, match="unreachable"):
        asking.version()
