from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.mirror.making import (
    TOKEN,
)
from tests.mirror.scripted import ScriptedServer
from tests.mirror.trial import Trial


@pytest.fixture
def server() -> Generator[ScriptedServer, None, None]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


@pytest.fixture
async def trial(server: ScriptedServer, token_file: Path) -> AsyncGenerator[Trial, None]:
    made = Trial(server.url, token_file)
    yield made
    await made.mirror.close()
