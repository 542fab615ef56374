"""By which names this hub may be asked, and which page is one of its own.

A page of another site that had its name point to 127.0.0.1 (DNS rebinding) sends that name as
``Host``. So a name is believed only where nobody else can have given it: loopback names from this
machine, the very address that the caller has reached, and the names of ``http.names``.
``Forwarded`` and its kin are not read: whoever asks could have written them.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

Address = tuple[str, int]

_MOST_KEPT = 256


class Origin(NamedTuple):
    """The hub as a browser sees it."""

    text: str
    is_secure: bool


class Hosts:
    def __init__(self, names: Iterable[str], port: int, *, is_tls: bool) -> None:
        """``names``: of ``http.names``; ``https://name`` is one by which a TLS proxy is asked."""
        self._port = port
        self._scheme = "https" if is_tls else "http"
        self._named = {host: origin for name in names for host, origin in self._of_name(name)}
        self.origin = functools.lru_cache(_MOST_KEPT)(self._origin)

    def _origin(self, host: bytes, client: str, server: str) -> Origin | None:
        """What pages of this hub have as their origin if asked by that name; None: not our name.

        Args:
            host: The header as it came.
            client: The caller's address.
            server: The address of ours that it has reached.
        """
        name = host.decode("latin-1").lower()
        if name in self._named:
            return self._named[name]
        plain = self._without_port(name)
        if plain is None:
            return None
        if not (is_loopback(plain) and is_loopback(client)) and not _same(plain, server):
            return None
        return Origin(f"{self._scheme}://{name}", self._scheme == "https")

    def _without_port(self, name: str) -> str | None:
        """The host of ``host:port`` where the port is ours, or may be left out."""
        plain, colon, port = name.rpartition(":")
        if not colon or name.endswith("]"):
            plain, port = name, str(_DEFAULT_PORT[self._scheme])
        if port != str(self._port):
            return None
        return plain.removeprefix("[").removesuffix("]") if plain.startswith("[") else plain

    def _of_name(self, name: str) -> Iterable[tuple[str, Origin]]:
        name = name.lower()
        if name.startswith("https://"):
            host = name.removeprefix("https://")
            yield host, Origin(name, True)
            return
        is_secure = self._scheme == "https"
        host = name if ":" in name else f"{name}:{self._port}"
        yield host, Origin(f"{self._scheme}://{host}", is_secure)
        if host.endswith(f":{_DEFAULT_PORT[self._scheme]}"):
            bare = host.rpartition(":")[0]
            yield bare, Origin(f"{self._scheme}://{bare}", is_secure)


_DEFAULT_PORT = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Is that an address of this machine alone?

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    if host == "localhost":
        return True
    ip = _address(host)
    return ip is not None and ip.is_loopback


def _same(host: str, server: str) -> bool:
    ours = _address(server)
    return ours is not None and _address(host) == ours


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip
