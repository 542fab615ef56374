"""The event stream: first at once, then merged, bounded, resumable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from hub.api.stream import MOST_AT_ONCE, QUEUE, ROOMS, Broadcaster


class Source:
    """Says how often something was rendered, so that a merged event shows the newest state."""

    def __init__(self, padding: bytes = b"") -> None:
        self.state = 0
        self.padding = padding
        self.rendered = 0
        self.broadcaster = Broadcaster(self._render)

    def _render(self, name: str, item: str, language: str) -> bytes:
        self.rendered += 1
        return b'{"id": "%s", "state": %d}%s' % (item.encode(), self.state, self.padding)

    def change(self, item: str = "gym") -> None:
        self.state += 1
        self.broadcaster.changed("room", item)


async def collect(stream: AsyncGenerator[bytes, None], within_s: float) -> bytes:
    """Everything the stream says in that time."""
    found = b""

    async def read() -> None:
        nonlocal found
        async for text in stream:
            found += text

    try:
        await asyncio.wait_for(read(), within_s)
    except TimeoutError:
        return found
    return found


async def opened(source: Source) -> AsyncGenerator[bytes, None]:
    stream = source.broadcaster.follow("en", None)
    assert (await anext(stream)).startswith(b"event: beat")
    return stream


async def test_the_first_change_goes_out_at_once_and_the_rest_of_a_burst_as_one() -> None:
    source = Source()
    stream = await opened(source)
    source.change()
    await asyncio.sleep(0)
    for _ in range(49):
        source.change()
    found = await collect(stream, 0.6)
    states = [part.split(b"}")[0] for part in found.split(b'"state": ')[1:]]
    assert states == [b"1", b"50"], "the first, then only the newest"


async def test_what_one_message_changes_twice_is_told_once_and_as_it_is_in_the_end() -> None:
    source = Source()
    stream = await opened(source)
    source.change()
    source.change()
    found = await collect(stream, 0.1)
    assert found.count(b"event: room") == 1
    assert b'"state": 2' in found


async def test_two_rooms_do_not_wait_for_each_other() -> None:
    source = Source()
    stream = await opened(source)
    source.change("gym")
    source.change("hall")
    found = await collect(stream, 0.1)
    assert found.count(b"event: room") == 2


async def test_it_is_rendered_once_for_all_clients_of_a_language_and_not_at_all_for_none() -> None:
    source = Source()
    source.change("early")
    await asyncio.sleep(0)
    assert source.rendered == 0
    streams = [await opened(source) for _ in range(5)]
    source.change("gym")
    await asyncio.sleep(0)
    assert source.rendered == 1
    assert all([b"gym" in await anext(stream) for stream in streams])


async def test_a_client_that_does_not_read_is_told_to_start_again() -> None:
    source = Source()
    stream = await opened(source)
    for number in range(QUEUE + 5):
        source.change(f"r{number}")
    await asyncio.sleep(0)
    found = await anext(stream)
    assert found.startswith(b"event: reset")


async def test_a_client_that_is_behind_gets_its_share_piece_by_piece() -> None:
    source = Source(padding=b"x" * 1_000)
    stream = await opened(source)
    for number in range(QUEUE - 5):
        source.change(f"r{number}")
    await asyncio.sleep(0)
    pieces = [await anext(stream)]
    while sum(piece.count(b"event: room") for piece in pieces) < QUEUE - 5:
        pieces.append(await anext(stream))
    assert max(map(len, pieces)) < MOST_AT_ONCE + 2_000


async def test_a_client_that_comes_back_gets_just_what_it_missed() -> None:
    source = Source()
    keeper = await opened(source)
    source.change("one")
    seen = (await anext(keeper)).split(b"\n")[0].removeprefix(b"id: ").decode()
    source.change("two")
    back = source.broadcaster.follow("en", seen)
    found = await anext(back)
    assert b"two" in found
    assert b"one" not in found
    other_boot = source.broadcaster.follow("en", "cafecafe-1")
    assert (await anext(other_boot)).startswith(b"event: reset")
    never_said = source.broadcaster.follow("en", seen.split("-")[0] + "-999")
    assert (await anext(never_said)).startswith(b"event: reset")


async def test_a_client_that_hears_of_rooms_alone_is_told_of_no_device() -> None:
    source = Source()
    both, rooms = await opened(source), source.broadcaster.follow("en", None, ROOMS)
    assert (await anext(rooms)).startswith(b"event: beat")
    source.broadcaster.changed("device", "eye")
    source.change("gym")
    heard = await collect(rooms, 0.1)
    assert b"gym" in heard
    assert b"device" not in heard
    assert b"event: device" in await collect(both, 0.1)
    assert source.rendered == 2


async def test_closing_ends_every_stream() -> None:
    source = Source()
    streams = [await opened(source) for _ in range(3)]
    source.broadcaster.close()
    for stream in streams:
        assert await collect(stream, 1) == b""
    assert source.broadcaster.clients == 0


async def test_a_page_gets_a_number_and_nothing_else() -> None:
    source = Source()
    pulse = source.broadcaster.pulse()
    assert await anext(pulse) == b"data: 0\n\n"
    for _ in range(20):
        source.change()
    assert await asyncio.wait_for(anext(pulse), 1) == b"data: 20\n\n"
    source.broadcaster.close()
