from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.backup import sealing


@pytest.fixture(autouse=True, scope="package")
def quick_sealing() -> Iterator[None]:
    """Scrypt of a thousandth: what it costs is a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "LOG_N", 10)
        yield
