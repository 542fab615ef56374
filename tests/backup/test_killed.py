"""kill -9 at every step of a backup and of a restore: either old or new, never half."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.backup.archive import verified
from hub.backup.make import Order, Source, make
from hub.backup.restore import Wish, restore
from tests.backup.samples import backup, history, source, values_in
from tests.store.making import T0_MS

STEPS = ("open", "os.", "sqlite3.", "fcntl.", "shutil.", "tempfile.", "ctypes.dlsym")
DONE = 77


def killed_at(work: Callable[[], object], step: int) -> bool:
    """Do it in a process of its own that is killed before its nth call of the system; False if it
    came to its end before."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, _: object) -> None:
            nonlocal count
            if event.startswith(STEPS):
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            work()
        finally:
            os._exit(DONE)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == DONE
    return False


@pytest.fixture
def hub(tmp_path: Path) -> Source:
    return source(tmp_path / "hub")


def test_a_killed_backup_is_whole_or_not_there(hub: Source, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    target = stick / "backup.tar"

    def work() -> None:
        make(Order(hub, target, T0_MS, is_forced=True))

    work()  # what is imported at first use is no step
    target.unlink()
    step = 1
    while killed_at(work, step):
        if target.exists():
            verified(target)
        step += 1
    assert step > 20
    verified(target)
    work()
    assert [path.name for path in stick.iterdir()] == ["backup.tar"], "what was left is tidied"


def test_a_killed_restore_leaves_the_old_state_or_the_new_one(
    tmp_path: Path,
) -> None:
    made = backup(tmp_path)
    data = tmp_path / "now/data"
    old, new = list(range(100, 103)), list(range(20))
    history(data, range(100, 103))

    def work() -> None:
        restore(Wish(made.path, data), T0_MS)

    restore(Wish(made.path, tmp_path / "warm/data"), T0_MS)
    step, seen = 1, []
    while killed_at(work, step):
        values = values_in(data)
        assert values in (old, new), step
        if values == new:
            (aside,) = data.parent.glob("data.before-*")
            assert values_in(aside) == old
            break
        seen.append(values)
        for path in data.parent.glob("data.before-*"):
            path.rename(tmp_path / f"complete-{step}")  # killed just before the swap
        step += 1
    assert len(seen) > 20
    restore(Wish(made.path, data), T0_MS)
    assert values_in(data) == new
    assert not list(data.parent.glob("*unfinished*"))
