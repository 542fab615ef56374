"""In which order the tests run."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a test that may take long come first, so that no core waits for one at the end."""
    allowed: dict[object, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        seconds = mark.args[0] if mark else 0.0
        allowed[item.path] = max(allowed.get(item.path, 0.0), seconds)
    items.sort(key=lambda item: -allowed[item.path])
