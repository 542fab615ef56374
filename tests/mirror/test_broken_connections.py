"""Answers that are lost, cut, slow or never come."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from hub.mirror import sink
from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.mirror.making import (
    until,
)
from tests.mirror.scripted import Reply, ScriptedServer
from tests.mirror.trial import Trial


async def test_stored_but_the_answer_was_lost(server: ScriptedServer, trial: Trial) -> None:
    wanted = trial.history(500)
    server.script = [Reply(stores=True, is_lost=True)] * 2

    await trial.steps(State.WAITING)
    assert trial.source.cursor == MirrorCursor(0)
    assert len(server.points) == 500

    await trial.steps()
    assert server.values() == wanted
    assert server.sizes == [500, 500, 500]


@pytest.mark.parametrize("cut", [1, 30])
async def test_a_cut_body_is_no_answer(server: ScriptedServer, trial: Trial, cut: int) -> None:
    wanted = trial.history(20)
    server.script = [Reply(400, body=b'{"message":"unable to parse all of it"}', cut=cut)]

    await trial.steps(State.WAITING)
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.broken"

    await trial.steps()
    assert (server.values(), trial.source.rejected) == (wanted, [])


async def test_nobody_listens(server: ScriptedServer, token_file: Path) -> None:
    trial = Trial("http://127.0.0.1:1", token_file)
    trial.history(10)

    await trial.steps(State.WAITING)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.unreachable"
    await trial.mirror.close()


async def test_a_server_that_drips_is_cut_off_in_bounded_time(
    server: ScriptedServer, trial: Trial, token_file: Path
) -> None:
    wanted = trial.history(10)
    server.script = [Reply(drips=True)]
    trial.sink._whole_s = 0.3

    await trial.steps(State.WAITING)
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.timeout"

    trial.sink._whole_s = sink.WHOLE_S
    await trial.steps()
    assert server.values() == wanted


async def test_a_server_that_says_nothing_runs_into_the_time_out(
    server: ScriptedServer, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "READ_S", 0.2)
    trial = Trial(server.url, token_file)
    wanted = trial.history(10)
    server.script = [Reply(is_silent=True)]

    await trial.steps(State.WAITING)
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.timeout"
    await trial.steps()
    assert server.values() == wanted
    await trial.mirror.close()


async def test_the_end_does_not_wait_for_a_server_that_drips(
    server: ScriptedServer, token_file: Path
) -> None:
    trial = Trial(server.url, token_file)
    trial.history(10)
    server.script = [Reply(drips=True)]
    running = asyncio.create_task(trial.mirror.run())
    await until(lambda: server.sizes)

    async with asyncio.timeout(sink.CLOSE_S + 5):
        running.cancel()
        await asyncio.wait({running})
        await trial.mirror.close()

    assert f"mirror-{trial.mirror.id}" not in {thread.name for thread in threading.enumerate()}
