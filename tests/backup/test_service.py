"""When backups are made, tried out and deleted, and what is said of them."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from hub.aside import in_thread
from hub.backup.api import BackupCollector, document
from hub.backup.catalogue import Catalogue
from hub.backup.make import Order, Source, make
from hub.backup.service import RETRY_MS, BackupsService
from hub.backup.worker import Said, work
from hub.configuration.keeping import BackupSection
from hub.store.wear import Wear
from tests.backup.samples import source
from tests.store.making import Time

DAY_MS = 86_400_000


class Hands:
    """Does what the commands do, at once and in this process; can be told to fail."""

    def __init__(self, hub: Source) -> None:
        self.hub = hub
        self.said: list[str] = []
        self.answer: Said | None = None

    async def __call__(self, words: list[str]) -> Said:
        self.said.append("rehearse" if "--rehearse" in words else words[0])
        if self.answer is not None:
            return self.answer
        if words[0] == "restore":
            return Said(True, "rehearsal.ok", {"time": 1, "count": 2})
        made_ms = int(words[words.index("--made-at") + 1])
        make(Order(self.hub, Path(words[1]), made_ms))
        return Said(True, "backup.made", {"time": made_ms})

    def told(self) -> list[str]:
        said, self.said = self.said, []
        return said


class Trial:
    def __init__(self, folder: Path, keep: int = 3) -> None:
        self.time = Time()
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.hub = source(folder / "hub")
        self.hands = Hands(self.hub)
        self.settings = BackupSection(folder=str(self.stick), keep=keep, rehearse=timedelta(days=7))
        self.service = self.started()

    def started(self) -> BackupsService:
        return BackupsService(
            self.settings, "trial", self.hub.config, self.hub.data, self.time.clock(), self.hands
        )

    async def pass_(self, ms: int) -> list[str]:
        self.time.ms += ms
        await self.service.turn()
        return self.hands.told()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


async def test_the_first_is_made_at_once_and_tried_out(trial: Trial) -> None:
    assert await trial.pass_(0) == ["backup", "rehearse"]
    state = trial.service.state

    assert state.is_ok
    assert [item.made_ms for item in state.items] == [trial.time.now]
    assert state.last_rehearsal is not None
    assert state.last_rehearsal.is_ok


async def test_one_a_day_and_a_rehearsal_a_week_also_over_restarts(trial: Trial) -> None:
    said = []
    for _ in range(16):
        said.append(await trial.pass_(DAY_MS // 2))
        trial.service = trial.started()

    assert [words for words in said if words] == [
        ["backup", "rehearse"],
        *[["backup"]] * 6,
        ["backup", "rehearse"],
    ]
    assert said[1] == []


async def test_only_the_newest_stay_and_only_ours_go(trial: Trial) -> None:
    theirs = trial.stick / "linli-other-20250101T000000Z.tar"
    letter = trial.stick / "letter.txt"
    for file in (theirs, letter):
        file.write_text("not ours")
    for _ in range(6):
        await trial.pass_(DAY_MS)
    names = sorted(path.name for path in trial.stick.iterdir())
    ours = [name for name in names if name.startswith("linli-trial-2026")]

    assert len(ours) == 4, "three, and the one that was tried out"
    assert ours[0] == "linli-trial-20260102T000000Z.tar"
    assert theirs.exists()
    assert letter.exists()


async def test_a_missing_stick_is_told_once_and_nothing_is_made_in_its_place(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    away = trial.stick.with_name("away")
    trial.stick.rename(away)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert await trial.pass_(60_000) == []
        assert trial.service.state.text.code == "backup.absent"
        assert not trial.service.state.is_ok
        assert not trial.stick.exists()
        away.rename(trial.stick)
        assert await trial.pass_(60_000) == ["backup", "rehearse"]
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "is not there" in line]) == 1
    assert said.count("Backups work again") == 1


async def test_a_failure_is_shown_and_tried_again_later(trial: Trial) -> None:
    trial.hands.answer = Said(False, "backup.no_space", {"path": "x", "free": 1, "needed": 2})
    assert await trial.pass_(0) == ["backup"]
    assert trial.service.state.text.code == "backup.no_space"
    assert await trial.pass_(60_000) == []
    trial.hands.answer = None
    assert await trial.pass_(RETRY_MS) == ["backup", "rehearse"]
    assert trial.service.state.is_ok


async def test_a_failed_rehearsal_is_shown_until_a_newer_one_passes(trial: Trial) -> None:
    await trial.pass_(0)
    await trial.pass_(6 * DAY_MS)
    failing = trial.hands.__call__

    class Failing(Hands):
        async def __call__(self, words: list[str]) -> Said:
            found = await failing(words)
            is_trial = "--rehearse" in words
            return Said(False, "rehearsal.differs", {"path": "x"}) if is_trial else found

    trial.service = BackupsService(
        trial.settings, "trial", trial.hub.config, trial.hub.data, trial.time.clock(),
        Failing(trial.hub),
    )  # fmt: skip
    assert await trial.pass_(2 * DAY_MS) == ["backup", "rehearse"]
    assert trial.service.state.text.code == "rehearsal.differs"
    trial.service = trial.started()
    await trial.pass_(60_000)
    assert not trial.service.state.is_ok, "it is in the record beside the backups"
    assert await trial.pass_(DAY_MS) == ["backup", "rehearse"]
    assert trial.service.state.is_ok


async def test_a_clock_that_is_not_known_dates_nothing(trial: Trial) -> None:
    trial.service = BackupsService(
        trial.settings, "trial", trial.hub.config, trial.hub.data, trial.time.clock(),
        trial.hands, is_time_known=lambda: False,
    )  # fmt: skip
    assert await trial.pass_(0) == []


async def test_a_backup_from_the_future_does_not_stop_backups(trial: Trial) -> None:
    make(Order(trial.hub, trial.stick, trial.time.now + 400 * DAY_MS))

    assert "backup" in await trial.pass_(0)


async def test_a_damaged_file_counts_for_nothing_and_is_left_alone(trial: Trial) -> None:
    torn = trial.stick / "linli-trial-20260101T000000Z.tar"
    torn.write_bytes(b"half a backup")
    assert "backup" in await trial.pass_(1000)

    assert [item.is_whole for item in trial.service.state.items] == [True, False]
    for _ in range(5):
        await trial.pass_(DAY_MS)
    assert torn.exists()


async def test_the_real_commands_do_it(trial: Trial) -> None:
    wear = Wear(trial.time.clock().now_ms)
    service = BackupsService(
        trial.settings, "trial", trial.hub.config, trial.hub.data, trial.time.clock(), work,
        count=wear.of_child,
    )  # fmt: skip
    await service.turn()
    wear.settle()

    assert service.state.is_ok, service.state
    (item,) = service.state.items
    assert item.made_ms == trial.time.now
    assert item.tried is not None
    assert item.tried.text.params == {"time": trial.time.now, "count": 1}
    counted = wear.since_start
    assert counted["backup"] >= item.size, "to the data's own disk here"
    assert counted["rehearsal"] > 0
    assert counted["other"] < 1_000_000, "and not once more as our own"


async def test_a_passphrase_from_before_there_was_a_minimum_is_told_and_mended(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    """After an update the file still holds a short one: nothing of that may be quiet."""
    secret = trial.hub.config.with_name("passphrase")
    secret.write_text("sesame")
    made = make(Order(trial.hub, trial.stick, trial.time.now - 2 * DAY_MS, "sesame"))
    settings = trial.settings.model_copy(update={"passphrase_file": str(secret)})
    section = f"backup: {{folder: {trial.stick}, passphrase_file: {secret}}}\n"
    trial.hub.config.write_text(trial.hub.config.read_text() + section)
    service = BackupsService(
        settings, "trial", trial.hub.config, trial.hub.data, trial.time.clock(), work
    )
    with caplog.at_level(logging.WARNING):
        await service.turn()

    state = service.state
    assert (state.text.code, state.is_ok) == ("backup.weak_passphrase_file", False)
    assert state.text.params["path"] == str(secret)
    told = document(state, True, "en", "Asia/Shanghai", trial.time.now)
    assert "can still be opened with it: write it down" in told.text
    assert sum("too uniform" in record.getMessage() for record in caplog.records) == 1
    figures = {m.name: m.samples[0].value for m in BackupCollector(service).collect()}
    assert figures["linli_backup_failing"] == 1
    assert [item.name for item in state.items] == [made.path.name], "the old one stays"
    assert state.items[0].tried is not None
    assert state.items[0].tried.is_ok, "and can be restored"

    secret.write_text("five plain words are enough")
    trial.time.ms += RETRY_MS
    await service.turn()
    assert service.state.is_ok, service.state
    assert len(service.state.items) == 2


async def test_a_process_that_says_nothing_is_a_failure() -> None:
    said = await work(["restore"])

    assert (said.ok, said.code, said.params) == (False, "backup.worker", {"status": "2"})


async def test_a_hub_that_stops_leaves_no_process(tmp_path: Path) -> None:
    fifo = tmp_path / "never.tar"
    os.mkfifo(fifo)
    ours = psutil.Process()
    before = set(ours.children())
    working = asyncio.create_task(work(["restore", str(fifo), "--data", str(tmp_path / "data")]))
    while not set(ours.children()) - before:  # noqa: ASYNC110 - nothing tells when it is born
        await asyncio.sleep(0.01)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert set(ours.children()) == before


async def test_an_error_in_the_thread_belongs_to_who_asked() -> None:
    def fail() -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        await in_thread(fail)


async def test_programs_and_people_are_told(trial: Trial) -> None:
    await trial.pass_(0)
    tomorrow = trial.time.now + DAY_MS
    told = document(trial.service.state, True, "en", "Asia/Shanghai", tomorrow)

    assert told.text == "Last backup 1 Jan 08:00"
    assert told.params == {"time": "2026-01-01T00:00:00.000Z"}
    (item,) = told.items
    assert (item.made_at, item.encrypted, item.whole) == ("2026-01-01T00:00:00.000Z", False, True)
    assert item.result is not None
    assert item.result.ok
    figures = {m.name: m.samples[0].value for m in BackupCollector(trial.service).collect()}
    assert figures["linli_backup_failing"] == 0
    assert figures["linli_backup_files"] == 1
    assert figures["linli_backup_rehearsal_ok"] == 1
    assert figures["linli_backup_made_seconds"] == trial.time.now / 1000


def test_what_did_not_change_is_not_read_again(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(Order(trial.hub, trial.stick, trial.time.now))
    catalogue = Catalogue(trial.stick, "trial")
    first = catalogue.look()
    monkeypatch.setattr(Catalogue, "_read", None)

    assert first == catalogue.look()
    assert first is not None
