"""A running hub under strace: each start is a recording of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.powercut.recording import Call, command, read
from tests.running_hub import READY_WITHIN_S, RunningHub

WRITTEN_WITHIN_S = 20.0


class RecordedHub(RunningHub):
    """``linli run``, or another module that takes its arguments, with every call recorded."""

    def __init__(self, folder: Path, rest: str, broker: int, inflight: int = 20) -> None:
        super().__init__(folder, rest, broker, inflight)
        self.module = ["hub.cli", "run"]
        self._folder = folder
        self._traces: list[tuple[Path, int]] = []
        self.data.mkdir(exist_ok=True)

    async def start(self) -> None:
        trace = self._folder / f"calls-{len(self._traces)}"
        config = ["--config", str(self._config), "--data", str(self.data)]
        program = [sys.executable, "-m", *self.module, *config]
        with self.log.open("ab") as log:
            # -D: strace is the grandchild, and the process we know is the hub itself
            self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                command(trace, program), stdout=log, stderr=log
            )
        self._traces.append((trace, self._process.pid))
        await self.until(self._is_ready, READY_WITHIN_S)

    async def recordings(self) -> list[list[Call]]:
        """The calls of each start; the hub must have ended."""
        for trace, pid in self._traces:
            await whole(trace, pid)
        return [read(trace) for trace, _ in self._traces]


async def whole(trace: Path, pid: int) -> None:
    """Wait until strace has written that the process ended.

    Raises:
        TimeoutError: it does not.
    """
    async with asyncio.timeout(WRITTEN_WITHIN_S):
        while not _is_whole(trace, pid):  # noqa: ASYNC110 - strace tells nobody
            await asyncio.sleep(0.02)


def _is_whole(trace: Path, pid: int) -> bool:
    """Its last line says how the process ended."""
    if not trace.exists():
        return False
    with trace.open("rb") as file:
        file.seek(max(trace.stat().st_size - 200, 0))
        last = file.read().split(b"\n")[-2:]
    return (
        len(last) == 2
        and last[-1] == b""
        and last[0].startswith(f"{pid} ".encode())
        and b" +++ " in last[0]
    )
