"""The browser files are the ones the lock file names, and the lock file names no host."""

from __future__ import annotations

import json
from pathlib import Path

import hub.web

WEB = Path(hub.web.__file__).parent
LOCK = json.loads((WEB / "package-lock.json").read_text())


def test_the_lock_names_hashes_and_no_address() -> None:
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert {"node_modules/htmx.org", "node_modules/axe-core"} <= set(packages)
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    assert "://" not in json.dumps(LOCK)


def test_the_file_we_serve_is_of_the_locked_version() -> None:
    """Red after a change of the lock: install again (``pip install -e .``)."""
    served = (WEB / "vendor" / "htmx.org" / "htmx.min.js").read_text()
    assert LOCK["packages"]["node_modules/htmx.org"]["version"] in served
