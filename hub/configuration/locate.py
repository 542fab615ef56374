"""Which file is meant, and which language the person at the terminal reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULTS = (Path("/etc/linli/centre.yaml"), Path("config/centre.yaml"))


def configuration_file(given: Path | None) -> Path:
    """The file given, else the first default that exists, else the first default."""
    if given is not None:
        return given
    return next((path for path in DEFAULTS if os.path.lexists(path)), DEFAULTS[0])


def terminal_language(environment: Mapping[str, str]) -> str:
    """The language of messages, by the usual variables.

    >>> terminal_language({"LANG": "zh_HK.UTF-8"}), terminal_language({"LANG": "C.UTF-8"})
    ('zh-TW', 'en')
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    if not locale.startswith("zh"):
        return "en"
    return "zh-TW" if locale[:5] in ("zh_TW", "zh_HK", "zh_MO") else "zh-CN"
