"""Heads that do not end, bodies that do not end: over a socket, as a hostile client would."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from hub import protocol
from hub.access.bodies import MAX_BODY
from hub.access.wire import Receive, Scope, Send
from hub.server import Server

WITHIN_S = 10
END = b"\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, whether it was told everything or not."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "ARRIVES_WITHIN_S", 0.3)
    server = Server(echo, lambda: None)
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve([listener]))
    await server.listening.wait()
    yield listener.getsockname()[1]
    server.should_exit = True
    await running


async def said(port: int, *parts: bytes) -> bytes:
    """What the server says until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(WITHIN_S):
            while part := await reader.read(65536):
                answer += part
    except ConnectionError:
        pass  # closed without a word
    finally:
        writer.close()
    return bytes(answer)


async def test_an_ordinary_request_is_answered_and_the_connection_kept(door: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door)
    for _ in range(3):
        writer.write(b"GET / HTTP/1.1\r\nHost: a" + END)
        async with asyncio.timeout(WITHIN_S):
            assert b"200 OK" in await reader.readuntil(b"ok")
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2 * protocol.MAX_HEAD + END,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * protocol.MAX_HEAD + END,
        b"GET /" + b"x" * 2 * protocol.MAX_HEAD + b" HTTP/1.1" + END,
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2 * protocol.MAX_HEAD,
    ],
    ids=["a long line", "many lines", "a long address", "no end"],
)
async def test_a_head_that_is_too_large_is_refused(door: int, head: bytes) -> None:
    assert b"431" in (await said(door, head)).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9" + END],
    ids=["nothing", "half a head", "no request", "no body"],
)
async def test_a_client_that_does_not_go_on_is_let_go(door: int, begun: bytes) -> None:
    answer = await said(door, begun)
    assert answer == b"" or answer.endswith(b"ok")


async def answers(port: int, *parts: bytes) -> list[bytes]:
    """The status lines, until the server closes."""
    lines = (await said(port, *parts)).split(b"\r\n")
    return [line[9:12] for line in lines if line.startswith(b"HTTP/")] + [
        part[9:12] for line in lines for part in line.split(b"ok")[1:] if part
    ]


async def test_a_body_may_be_longer_than_a_head_may(door: int) -> None:
    body = b"x" * (2 * protocol.MAX_HEAD)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d" % len(body)
    assert await answers(door, head + END + body) == [b"200"]


async def test_which_of_two_names_is_meant_is_not_guessed(door: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b" + END
    assert await answers(door, head) == [b"400"]


async def test_requests_that_do_not_wait_for_answers_are_few(door: int) -> None:
    one = b"GET / HTTP/1.1\r\nHost: a" + END
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close" + END
    assert await answers(door, one * 5 + last) == [b"200"] * 6
    many = await answers(door, one * 500)
    assert len(many) <= protocol.MOST_PIPELINED
    assert set(many) <= {b"200"}


async def test_connections_are_bounded_and_the_next_is_served_once_one_is_gone(
    door: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_OF_ONE", 2)
    monkeypatch.setattr(protocol, "ARRIVES_WITHIN_S", 60.0)
    held = [await asyncio.open_connection("127.0.0.1", door) for _ in range(2)]
    one = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close" + END
    assert await answers(door, one) == []
    held[0][1].write(one)
    async with asyncio.timeout(WITHIN_S):
        assert await held[0][0].read()
    assert await answers(door, one) == [b"200"]
    for _, writer in held:
        writer.close()


async def test_what_is_wrong_on_purpose_fills_no_log(
    door: int, caplog: pytest.LogCaptureFixture
) -> None:
    await said(door, b"\0\0 nonsense" + END)
    await said(door, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: x" + END)
    assert caplog.records == []


def test_a_form_fits_into_a_body() -> None:
    from hub.web.forms import MAX_FORM

    assert MAX_FORM <= MAX_BODY
