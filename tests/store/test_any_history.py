"""Whatever happens to a store, in whatever order: what it tells is what it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.any_history import History


@pytest.mark.parametrize("seed", range(4))
async def test_any_history(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await History(tmp_path, seed, monkeypatch).run(80)
