"""The commands of backups in a process of their own: a long copy costs the hub neither a pause nor
memory, and a stick that hangs costs it one thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from hub.backup.cost import Cost
from hub.domain.room import Params, Text

log = logging.getLogger(__name__)

LONGEST_S = 6 * 3600.0
END_S = 5.0  # then a process that was told to end is killed
MAX_SAID = 64 * 1024


class Said(msgspec.Struct, frozen=True):
    """The last line of a command with ``--json``."""

    ok: bool
    code: str
    params: Params = {}
    cost: Cost = Cost()

    @property
    def text(self) -> Text:
        return Text(self.code, self.params)


Worker = Callable[[list[str]], Awaitable[Said]]


async def work(words: list[str]) -> Said:
    """Run ``linli`` with these words, and what it said; it ends with us, and within hours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hub.cli", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            out, complaint = await process.communicate()
    except TimeoutError:
        return Said(False, "backup.too_slow")
    finally:
        await _end(process)
    lines = out[-MAX_SAID:].decode(errors="replace").splitlines()
    try:
        return msgspec.json.decode(lines[-1] if lines else "", type=Said)
    except msgspec.DecodeError:
        log.warning("linli %s: %s", words[0], complaint[-2000:].decode(errors="replace"))
        return Said(False, "backup.worker", {"status": str(process.returncode)})


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def be_gentle() -> None:
    """Let everything else go first, and be the first to go when memory is short."""
    os.nice(19)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
