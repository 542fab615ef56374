"""The mirror beside the rest of the hub: rewinds, the rate, the log, what it says of itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from hub import texts
from hub.mirror import rules, service
from hub.mirror.api import MirrorCollector, document
from hub.mirror.service import Mirrors, State
from hub.store.outbox import MirrorCursor
from hub.store.query import StoreBusyError
from tests.mirror.making import (
    CENTRE,
    NOON_MS,
    TOKEN,
    MemorySource,
    change,
    changes,
    mirror_settings,
    room_point,
    until,
)
from tests.mirror.scripted import Reply, ScriptedServer
from tests.mirror.trial import NOW, Trial


async def test_a_rewind_sends_again_and_doubles_nothing(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(300)
    await trial.steps()

    trial.source.cursor = MirrorCursor(10)
    await trial.steps()

    assert server.values() == wanted
    assert trial.mirror.points == 500
    assert trial.source.cursor == MirrorCursor(30)


async def test_a_rewind_while_a_batch_waits_is_not_overwritten_by_it(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(300)
    trial.source.cursor = MirrorCursor(10)
    server.script = [Reply(503)]
    await trial.mirror.step()

    trial.source.cursor = MirrorCursor(0)
    await trial.steps()

    assert server.values() == wanted


async def test_a_rewind_during_a_request_is_not_overwritten_by_its_answer(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(10)
    assert await trial.mirror.step() == 0  # sent, and the cursor about to move

    trial.source.cursor = MirrorCursor(0, 1)
    await trial.mirror.step()

    assert trial.source.reached == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [(StoreBusyError("x"), "mirror.store"), (KeyError("a mistake of ours"), "mirror.failed")],
)
async def test_what_fails_here_is_told_and_tried_again(
    server: ScriptedServer,
    trial: Trial,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    code: str,
) -> None:
    monkeypatch.setattr(rules, "BACKOFF_S", (0.01, 0.01))
    monkeypatch.setattr(service, "POLL_S", 0.01)
    wanted = trial.history(10)
    trial.source.failure = failure
    running = asyncio.create_task(trial.mirror.run())
    await until(lambda: trial.mirror.state is State.WAITING)
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == code

    trial.source.failure = None
    await until(lambda: trial.mirror.state is State.OK)
    running.cancel()
    await asyncio.wait({running})

    assert server.values() == wanted


async def test_catching_up_keeps_to_the_rate(server: ScriptedServer, token_file: Path) -> None:
    trial = Trial(server.url, token_file, rate=1_000)
    trial.history(10_000)
    loop = asyncio.get_running_loop()
    begun, asked = loop.time(), 0.0
    while trial.source.cursor == MirrorCursor(0):
        asked = max(asked, await trial.mirror.step())

    assert trial.mirror.state is State.CATCHING_UP
    assert trial.mirror.points == 2_000
    assert 2 - (loop.time() - begun) <= asked <= 2
    await trial.mirror.close()


async def test_live_work_is_not_slowed_by_the_rate(
    server: ScriptedServer, token_file: Path
) -> None:
    trial = Trial(server.url, token_file, rate=1)
    trial.history(10)

    waits = await trial.steps()

    assert trial.mirror.state is State.OK
    assert max(waits) <= service.POLL_S
    await trial.mirror.close()


async def test_the_event_loop_is_not_held_while_lines_are_built_and_sent(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.source.commits = [(tuple(changes(20_000)), ())]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await trial.steps()
    turning.cancel()

    assert turns > 20_000 / service.SLICE


async def test_each_change_of_state_is_logged_once_and_without_the_token(
    server: ScriptedServer, trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hub")
    trial.history(10)
    server.script = [Reply(503, body=TOKEN.encode())] * 5 + [Reply(401, body=TOKEN.encode())] * 5

    await trial.steps()

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "server_error" in said[0]
    assert "unauthorized" in said[1]
    assert said[2].endswith("ok")
    assert TOKEN not in "".join(said)


async def test_what_the_api_says_of_a_mirror(server: ScriptedServer, trial: Trial) -> None:
    trial.history(10)
    server.script = [Reply(401), Reply(503)]

    await trial.mirror.step()
    for language in texts.LANGUAGES:
        said = document(trial.mirror, language)
        assert (said.state, said.commits_behind, said.points) == ("alarm", 1, 0)
        assert said.url == server.url
        assert said.last_error is not None
        assert said.last_error.code == "mirror.unauthorized"
        assert said.last_error.text != "mirror.unauthorized"
        assert TOKEN not in str(said)
    assert document(trial.mirror, "en").oldest_unsent == "2026-11-22T04:00:00.000Z"
    assert document(trial.mirror, "en").last_success is None


async def test_one_mirror_that_is_away_does_not_hold_another(
    server: ScriptedServer, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "POLL_S", 0.01)
    source = MemorySource(changes(100))
    mirrors = Mirrors(
        [
            mirror_settings("http://127.0.0.1:1", id="away", token_file=str(token_file)),
            mirror_settings(server.url, id="here", token_file=str(token_file)),
        ],
        CENTRE,
        source,
        NOW,
    )
    running = asyncio.create_task(mirrors.run())
    away, here = mirrors.items
    await until(lambda: here.state is State.OK and away.state is State.WAITING)

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in MirrorCollector(mirrors).collect()
        for sample in metric.samples
    }
    assert samples[("linli_mirror_state", "away", "waiting")] == 1
    assert samples[("linli_mirror_state", "here", "ok")] == 1
    assert samples[("linli_mirror_points_total", "here")] == 100
    running.cancel()
    await asyncio.wait({running})
    assert not [t for t in threading.enumerate() if t.name.startswith("mirror-")]


async def test_the_wish_for_a_rewind_is_granted_while_it_sleeps(
    server: ScriptedServer, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WISH_S", 0.02)
    monkeypatch.setattr(rules, "ALARM_S", 3_600.0)
    trial.history(300)
    running = asyncio.create_task(trial.mirror.run())
    await until(lambda: trial.source.cursor == MirrorCursor(30))

    trial.source.wish = MirrorCursor(10)
    await until(lambda: trial.mirror.points == 500)
    server.script = [Reply(401)]
    trial.source.wish = MirrorCursor(0)
    await until(lambda: trial.mirror.state is State.ALARM)
    trial.source.wish = MirrorCursor(7)
    await until(lambda: trial.source.wish is None)
    running.cancel()
    await asyncio.wait({running})


async def test_a_store_without_a_new_commit_is_not_asked_again_and_again(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(10)
    await trial.steps()
    asked = trial.source.asked

    for _ in range(20):
        assert await trial.mirror.step() == service.POLL_S
    assert trial.source.asked <= asked + 1

    trial.source.commits.append(((change(1, NOON_MS - 1),), ()))
    await trial.steps()
    assert trial.mirror.points == 11


async def test_history_that_may_not_be_sent_yet_is_waited_for_without_haste(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(10)
    trial.source.is_held = True

    assert [await trial.mirror.step() for _ in range(3)] == [service.POLL_S] * 3
    assert server.sizes == []


async def test_it_is_trying_until_the_server_has_acknowledged_something(
    server: ScriptedServer, trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    trial.source.failure = StoreBusyError("x")
    running = asyncio.create_task(trial.mirror.run())
    await until(lambda: trial.mirror.state is State.WAITING)
    running.cancel()
    await asyncio.wait({running})
    assert "Mirror influxdb: trying" in caplog.text

    trial.source.failure = None
    for _ in range(2):  # nothing to send: no answer yet
        assert await trial.mirror.step() == service.POLL_S
        assert document(trial.mirror, "en").state == "trying"
    assert "influxdb: ok" not in caplog.text

    trial.history(10)
    await trial.steps()
    assert document(trial.mirror, "en").state == "ok"


async def test_it_is_not_up_to_date_while_there_is_more_also_after_rooms_alone(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(10)
    trial.source.commits.insert(0, ((), (room_point(),)))
    trial.source.limit = 1

    states = []
    while trial.source.cursor == MirrorCursor(0):
        await trial.mirror.step()
        states.append(trial.mirror.state)

    assert set(states) == {State.CATCHING_UP}


async def test_what_happens_during_an_outage_counts_as_behind(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(30)
    server.script = [Reply(503)]
    await trial.mirror.step()
    assert trial.mirror.commits_behind == 3

    for at in range(7):
        trial.source.commits.append(((change(1, NOON_MS - at - 1),), ()))
    assert trial.mirror.commits_behind == 10

    await trial.steps()
    assert trial.mirror.commits_behind == 0
