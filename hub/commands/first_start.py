"""What somebody sees who starts a hub without accounts: where to go, and the code to type there."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from hub.configuration.locate import terminal_language
from hub.domain.room import Text

WILD = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what one cannot type into a browser
BEYOND = ("192.0.2.1", 9)  # kept for examples; nothing is sent, only a way out is chosen


def notice(
    address: str, code: str, names: Sequence[str], environment: Mapping[str, str]
) -> list[str]:
    """Lines for a console.

    Args:
        address: What the hub listens to, as it says it: ``http://0.0.0.0:8080``.
        code: For the page.
        names: ``http.names``, which people type.
        environment: Says the language; where it says none, all are spoken.
    """
    from hub.texts import render

    open_ = reachable(address, names, own_address())
    texts = [
        Text("setup.nobody"),
        Text("setup.open", {"address": f"{open_}/set-up"}),
        Text("setup.code", {"code": code}),
        Text("setup.other"),
    ]
    lines = [[render(text, language) for text in texts] for language in spoken_in(environment)]
    rule = "-" * 72
    return [rule, *(line for part in lines for line in ("", *part)), "", rule]


def spoken_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The language of the terminal, or all where it has none, as under systemd.

    >>> spoken_in({"LANG": "zh_CN.UTF-8"}), spoken_in({"LANG": "C.UTF-8"})
    (('zh-CN',), ('zh-CN', 'zh-TW', 'en'))
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "C")
    if locale.partition(".")[0] in ("C", "POSIX"):
        return ("zh-CN", "zh-TW", "en")
    return (terminal_language(environment),)


def reachable(address: str, names: Sequence[str], own: str) -> str:
    """An address that a browser in the house understands.

    >>> reachable("http://0.0.0.0:8080", [], "10.0.0.5")
    'http://10.0.0.5:8080'
    >>> reachable("http://0.0.0.0:8080", ["linli.local"], "10.0.0.5")
    'http://linli.local:8080'
    >>> reachable("http://:::8080", ["https://hub.example"], "10.0.0.5")
    'https://hub.example'
    >>> reachable("http://127.0.0.1:8080", [], "10.0.0.5")
    'http://127.0.0.1:8080'
    """
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    if names:
        name = names[0] if ":" in names[0] else f"{names[0]}:{port}"
        return name if "://" in name else f"{scheme}://{name}"
    host = own if host in WILD else host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def own_address() -> str:
    """The address by which the house reaches this machine; loopback without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(BEYOND)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
