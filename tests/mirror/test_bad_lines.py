"""A server that refuses lines: one, several, all; and requests that are too large for it."""

from __future__ import annotations

import sqlite3

import pytest

from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.mirror.making import (
    NOON_MS,
    change,
)
from tests.mirror.protocol import parse
from tests.mirror.scripted import Reply, ScriptedServer
from tests.mirror.trial import Trial


@pytest.mark.parametrize("status", [201, 400, 422])
@pytest.mark.parametrize("is_partial", [False, True])
async def test_a_bad_line_is_found_set_aside_visibly_and_the_rest_goes_on(
    server: ScriptedServer, trial: Trial, status: int, is_partial: bool
) -> None:
    wanted = trial.history(700)
    bad = sorted(wanted)[234]
    server.refuses = lambda point: point.at_ns == bad
    server.refusal = Reply(status, body=b'{"message":"no such type"}', stores=is_partial)

    await trial.steps()

    del wanted[bad]
    assert server.values() == wanted
    assert [(parse(line).at_ns, reason) for line, reason in trial.source.rejected] == [
        (bad, f'{status} {{"message":"no such type"}}')
    ]
    assert trial.mirror.rejected == 1
    assert trial.source.cursor == MirrorCursor(70)
    assert len(server.sizes) < 40


async def test_several_bad_lines_cost_some_requests_each_and_not_the_batch(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(600)
    bad = set(sorted(wanted)[::99])
    server.refuses = lambda point: point.at_ns in bad

    await trial.steps()

    assert server.values().keys() == wanted.keys() - bad
    assert len(trial.source.rejected) == len(bad)


async def test_a_server_that_refuses_everything_does_not_cost_us_the_history(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(100)
    server.refuses = lambda point: True

    await trial.steps(State.ALARM)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.refuses_all"
    assert (trial.source.rejected, trial.source.cursor) == ([], MirrorCursor(0))
    server.refuses = lambda point: False
    await trial.steps()
    assert server.values() == wanted


async def test_a_single_bad_line_at_the_end_does_not_hold_up_what_comes_later(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(1)
    server.refuses = lambda point: point.fields.get("value") == 20.0
    await trial.steps()

    trial.source.commits.append(((change(33.5, NOON_MS + 99),), ()))
    await trial.steps()

    assert list(server.values().values()) == [33.5]
    assert len(trial.source.rejected) == 1


async def test_a_refusal_that_is_no_utf8_is_understood_all_the_same(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(20)
    bad = sorted(wanted)[7]
    server.refuses = lambda point: point.at_ns == bad
    server.refusal = Reply(400, body="坏行".encode("gbk"))

    await trial.steps()

    assert len(trial.source.rejected) == 1


async def test_points_older_than_the_server_keeps_are_set_aside_at_once(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(2_000)
    words = b"partial write: points beyond retention policy dropped=2000"
    server.script = [Reply(422, body=words)]

    await trial.steps()

    assert len(trial.source.rejected) == 2_000
    assert sum(server.sizes) == 2_001  # them, and the probe


async def test_too_large_a_request_is_halved_until_it_fits_and_stays_small(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(4_000)
    server.most_lines = 300

    await trial.steps()

    assert server.values() == wanted
    assert trial.source.rejected == []
    assert sum(size > 300 for size in server.sizes) == 3


async def test_one_line_that_is_too_large_is_set_aside(
    server: ScriptedServer, trial: Trial
) -> None:
    trial.history(1)
    server.script = [Reply(413)]

    await trial.steps()

    assert len(trial.source.rejected) == 1


async def test_a_bad_line_that_cannot_be_set_aside_is_kept_until_it_can(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(20)
    bad = sorted(wanted)[3]
    server.refuses = lambda point: point.at_ns == bad
    trial.source.is_full = True
    with pytest.raises(sqlite3.OperationalError):
        await trial.steps()
    assert trial.source.cursor == MirrorCursor(0)

    trial.source.is_full = False
    await trial.steps()

    assert len(trial.source.rejected) == 1
    assert server.values().keys() == wanted.keys() - {bad}
