"""The one cookie: a session's key, or a screen's.

Its name carries the port, since browsers share cookies between the ports of a machine. Behind TLS
it is ``Secure`` and ``__Host-``: no other host of the domain can have set it.
"""

from __future__ import annotations

from hub.access.hosts import Origin
from hub.access.rules import SCREEN_MS

_SCREEN_S = SCREEN_MS // 1000


class Cookies:
    def __init__(self, port: int) -> None:
        self._plain, self._secure = f"linli-{port}", f"__Host-linli-{port}"
        self._keys = {False: self._plain.encode() + b"=", True: self._secure.encode() + b"="}

    def name(self, *, is_secure: bool) -> str:
        return self._secure if is_secure else self._plain

    def value(self, header: bytes | None, origin: Origin) -> str | None:
        """What a request brought."""
        if not header:
            return None
        key = self._keys[origin.is_secure]
        for part in header.split(b";"):
            part = part.strip()
            if part.startswith(key):
                return part[len(key) :].decode("latin-1")
        return None

    def session(self, key: str, origin: Origin) -> str:
        """Until the browser is closed; the hub ends it earlier.

        ``Lax``, not ``Strict``: a link to a room in a message would otherwise ask a person to sign
        in who is signed in. What changes something is a POST with the form's secret.
        """
        return self._cookie(key, origin, "")

    def screen(self, key: str, origin: Origin) -> str:
        return self._cookie(key, origin, f"; Max-Age={_SCREEN_S}")

    def gone(self, origin: Origin) -> str:
        return self._cookie("", origin, "; Max-Age=0")

    def _cookie(self, value: str, origin: Origin, age: str) -> str:
        name = self.name(is_secure=origin.is_secure)
        secure = "; Secure" if origin.is_secure else ""
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
