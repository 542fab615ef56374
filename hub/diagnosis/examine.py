"""The whole examination, in the order in which one thing needs another."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.settings import MqttLink, SerialLink
from hub.diagnosis.accounts import examine_accounts
from hub.diagnosis.backups import examine_backups
from hub.diagnosis.broker import examine_broker
from hub.diagnosis.disk import examine_disk
from hub.diagnosis.finding import Finding
from hub.diagnosis.ports import examine_port
from hub.diagnosis.time import examine_clock
from hub.settings import CentreSettings, SettingsError, load

NEEDED = (3, 11)


def examine(configuration: Path, data: Path | None = None) -> Iterator[Finding]:
    """Look at everything; what depends on a broken configuration is left out and said."""
    yield examine_python(sys.version_info[:2])
    settings, finding = examine_configuration(configuration)
    yield finding
    folder = data or Path(settings.storage.path if settings else "data")
    yield from examine_disk(folder)
    if settings is not None:
        yield from examine_accounts(folder, is_open=settings.access.open)
        yield from examine_backups(settings.backup)
    yield from examine_clock(settings.clock if settings else None)
    if settings is None:
        remedy = "Mend the configuration first, then run linli doctor again."
        yield Finding("ports and broker", "warning", "not examined", remedy)
        return
    for device in settings.devices:
        if isinstance(device.link, SerialLink):
            yield examine_port(device.id, device.link.serial)
    is_heard = any(isinstance(device.link, MqttLink) for device in settings.devices)
    if is_heard or settings.publish is not None:
        yield from examine_broker(settings.mqtt)


def examine_python(version: tuple[int, int]) -> Finding:
    """Is Python new enough?"""
    text = f"{platform.python_version()} on {platform.machine()}"
    if version < NEEDED:
        return Finding("python", "broken", text, "Install Python 3.11 or newer.")
    return Finding("python", "ok", text)


def examine_configuration(path: Path) -> tuple[CentreSettings | None, Finding]:
    """Can the centre's file be used?"""
    try:
        settings = load(path)
    except SettingsError as error:
        count = len(error.problems)
        what = f"{path} has {count} problem{'' if count == 1 else 's'}; {error.problems[0]}"
        remedy = f"linli check-config {path} names every line."
        return None, Finding("configuration", "broken", what, remedy)
    what = f"{path}: {len(settings.rooms)} rooms, {len(settings.devices)} devices"
    return settings, Finding("configuration", "ok", what)
