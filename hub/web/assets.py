"""Style sheets, scripts and icons, served from memory under an address that names their content.

``/static/<digest>/css/board.css``: the digest covers every file, so a browser may keep one for a
year and still sees a new version at once. ``vendor`` holds the pinned npm files that the build
put there (``hatch_build.py``).
"""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from starlette.responses import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class Assets:
    """All files of ``static`` and ``vendor``; about 70 kB."""

    def __init__(self) -> None:
        root = resources.files("hub.web")
        self.files = dict(_walk(root / "static", "")) | dict(_walk(root / "vendor", "vendor/"))
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(name.encode() + b"\0" + self.files[name])
        self.digest = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file; a name that is not there is a bug and raises KeyError."""
        if name not in self.files:
            hint = " (install the package again to fetch it)" if name.startswith("vendor/") else ""
            raise KeyError(f"no such browser file: {name}{hint}")
        return f"/static/{self.digest}/{name}"

    def answer(self, digest: str, name: str) -> Response:
        """A page of an older version may still ask under its own digest: it gets today's file."""
        body = self.files.get(name)
        if body is None:
            return Response(status_code=404)
        keep = _FOR_EVER if digest == self.digest else _ASK_AGAIN
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(body, media_type=kind, headers={"Cache-Control": keep})


def routes(assets: Assets) -> APIRouter:
    """``/static/...`` and the icon that browsers ask for unbidden."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{digest}/{name:path}")
    async def static(digest: str, name: str) -> Response:
        return assets.answer(digest, name)

    @router.get("/favicon.ico")
    async def favicon() -> Response:
        return assets.answer("", "favicon.svg")

    return router


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    if not folder.is_dir():
        return found
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
