"""Find whole frames in a noisy byte stream, and say what was thrown away.

A serial line gives us bytes in arbitrary pieces: half a frame, three frames at once, or a frame
cut by a pulled cable. A framer holds the remainder between calls and promises four things, each
pinned in tests/drivers/test_properties.py for every driver:

1. the way the stream is cut into pieces changes neither the frames found nor what is discarded;
2. no input makes it raise;
3. between calls it holds less than one frame of bytes;
4. after any damage the next good frame is found, at the latest when the line goes quiet and the
   port calls idle().

Promise 4 is why a bad checksum drops one byte and not a whole frame: the length field itself may
be the damaged part, and trusting it would skip a good frame that follows.

What a family of frames looks like is a pure function, its `Step`: it looks at the bytes held and
answers with one `Move`, or None while it can not know. For promise 1 an answer must stay right
whatever bytes follow: a step looks only at a window of fixed size, and waits rather than guesses.

Bytes thrown away in a row are one `Discard`, with the reason of the first: a frame with a bad
check byte is one discard of its whole size, not one for each byte that was tried as a start. It
is reported when the row ends (a frame, another reason, a quiet line) or every `RUN_LIMIT` bytes,
so that a babbling line is heard of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from device_drivers.contract import Discard, DiscardReason

RUN_LIMIT = 256
WINDOW = 1024  # searched at once, so that a megabyte of near misses costs no more than its length


class Move(NamedTuple):
    """What to do with the first bytes held: take them as a frame, or drop them for a reason."""

    size: int
    frame: bytes | None = None
    reason: DiscardReason = DiscardReason.NOISE


Step = Callable[[bytearray], Move | None]


@dataclass(slots=True)
class StreamFramer:
    """Runs a step over a stream. See the module for its promises."""

    step: Step
    filler: bytes = b""
    """Bytes that may follow a frame and say nothing, such as the LF behind a CR."""
    _buffer: bytearray = field(default_factory=bytearray)
    _behind_frame: bool = False
    _run: int = 0
    _reason: DiscardReason = DiscardReason.NOISE

    @property
    def held(self) -> int:
        """How many bytes wait for more."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes | Discard]:
        """Take more bytes; return the frames completed and the rows of bytes dropped."""
        self._buffer += data
        found: list[bytes | Discard] = []
        self._skip_filler()
        while self._buffer and (move := self.step(self._buffer)) is not None:
            del self._buffer[: move.size]
            if move.frame is None:
                self._drop(move.size, move.reason, found)
                continue
            self._end_run(found)
            found.append(move.frame)
            self._behind_frame = True
            self._skip_filler()
        return found

    def idle(self) -> list[bytes | Discard]:
        """The line went quiet: search again behind a frame that will not be finished."""
        found: list[bytes | Discard] = []
        while self._buffer:
            del self._buffer[:1]
            self._drop(1, DiscardReason.LENGTH, found)
            found += self.feed(b"")
        self._end_run(found)
        return found

    def _skip_filler(self) -> None:
        if self._behind_frame and self._buffer:
            rest = self._buffer.lstrip(self.filler) if self.filler else self._buffer
            self._behind_frame = not rest
            del self._buffer[: len(self._buffer) - len(rest)]

    def _drop(self, size: int, reason: DiscardReason, found: list[bytes | Discard]) -> None:
        """Lengthen the row that is open, or begin another. Noise goes with what came before it."""
        if self._run and reason is not DiscardReason.NOISE:
            self._end_run(found)
        if not self._run:
            self._reason = reason
        self._run += size
        while self._run >= RUN_LIMIT:
            found.append(Discard(self._reason, RUN_LIMIT))
            self._run -= RUN_LIMIT

    def _end_run(self, found: list[bytes | Discard]) -> None:
        if self._run:
            found.append(Discard(self._reason, self._run))
            self._run = 0


def noise_before(buffer: bytearray, starts: tuple[bytes, ...]) -> int:
    """How many bytes surely precede any start of a frame.

    >>> noise_before(bytearray(b"xxbp,"), (b"bp,",)), noise_before(bytearray(b"xxb"), (b"bp,",))
    (2, 2)
    """
    head = buffer[:WINDOW]
    places = [at for start in starts if (at := head.find(start)) >= 0]
    if places:
        return min(places)
    # The last bytes may be the beginning of a start that is not whole yet.
    for size in range(min(len(head), max(map(len, starts)) - 1), 0, -1):
        if any(start.startswith(head[-size:]) for start in starts if len(start) > size):
            return len(head) - size
    return len(head)


def xor(data: bytes) -> int:
    """The block check character of many simple devices: all bytes, exclusive or.

    >>> hex(xor(b"ST"))
    '0x7'
    """
    check = 0
    for byte in data:
        check ^= byte
    return check
