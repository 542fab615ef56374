"""One mirror on a history in memory, stepped by hand."""

from __future__ import annotations

from pathlib import Path

from edge.clock import Clock
from hub.mirror.lines import LineWriter
from hub.mirror.service import Mirror, State
from hub.mirror.sink import Sink
from tests.mirror.making import (
    CENTRE,
    NOON_MS,
    MemorySource,
    changes,
    mirror_settings,
)
from tests.mirror.protocol import parse

ATTEMPTS = 400
NOW = Clock(true_time=lambda: NOON_MS / 1000 + 600)


def put(path: Path, content: str | None) -> None:
    path.unlink()
    if content is not None:
        path.write_text(content)


class Trial:
    def __init__(self, url: str, token_file: Path, **more: object) -> None:
        settings = mirror_settings(url, token_file=str(token_file), **more)
        self.source = MemorySource()
        self.sink = Sink(settings)
        self.mirror = Mirror(settings, CENTRE, self.source, NOW, self.sink)

    def history(self, count: int) -> dict[int, object]:
        """Fill the store; what a server must have in the end."""
        self.source.commits = MemorySource(changes(count)).commits
        lines = LineWriter(CENTRE).lines(changes(count))
        return {point.at_ns: point.fields["value"] for point in map(parse, lines)}

    async def steps(self, until: State = State.OK) -> list[float]:
        """Step until that state is reached and, for ok, everything is sent; the waits asked for."""
        waits = []
        for _ in range(ATTEMPTS):
            waits.append(await self.mirror.step())
            all_sent = self.source.cursor.commit == len(self.source.commits)
            if self.mirror.state is until and (until is not State.OK or all_sent):
                return waits
        raise AssertionError(f"still {self.mirror.state} ({self.mirror.trouble})")
