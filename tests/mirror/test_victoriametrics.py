"""Debian's VictoriaMetrics: its 204 is not durable, so a restart of it asks for a rewind."""

from __future__ import annotations

from pathlib import Path

from hub.store.outbox import MirrorCursor
from tests.mirror.trial import Trial
from tests.victoria import Victoria


async def test_after_its_restart_a_rewind_brings_back_what_it_lost_and_doubles_nothing(
    tmp_path: Path, token_file: Path
) -> None:
    with Victoria(tmp_path / "victoria") as victoria:
        trial = Trial(victoria.url, token_file)
        wanted = {at // 1_000_000: value for at, value in trial.history(5_000).items()}
        await trial.steps()
        victoria.kill()
        victoria.start()
        survived = victoria.values("temperature_value")
        assert survived.items() <= wanted.items()

        trial.source.cursor = MirrorCursor()
        await trial.steps()
        assert victoria.values("temperature_value") == wanted

        trial.source.cursor = MirrorCursor()
        await trial.steps()
        assert victoria.values("temperature_value") == wanted
        await trial.mirror.close()
