"""Tasmota: telemetry under ``tele/``, answers and changes under ``stat/``, LWT retained.

``Time`` is local and without a zone, as Tasmota sends it unless told otherwise. A door switch in
SwitchMode 15 sends its SENSOR message on every change.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from simulator.wires.mqtt import Publication

Reading = dict[str, str | dict[str, float | str]]


def sensor(topic: str, at: datetime, readings: Reading) -> Publication:
    """Switches (``Switch1: ON``) and sensor objects (``DS18B20: {Temperature: 4.1}``)."""
    return _json(f"tele/{topic}/SENSOR", {"Time": _time(at), **readings})


def state(topic: str, at: datetime, up: timedelta, power: bool | None, rssi: int) -> Publication:
    """The five-minute report on itself. ``rssi`` is Tasmota's per cent, Signal its dBm."""
    days, rest = divmod(int(up.total_seconds()), 86400)
    hours, seconds = divmod(rest, 3600)
    uptime = f"{days}T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
    relay = {} if power is None else {"POWER": _power(power)}
    wifi = {"RSSI": rssi, "Signal": rssi // 2 - 100}
    return _json(
        f"tele/{topic}/STATE",
        {"Time": _time(at), "Uptime": uptime, "UptimeSec": int(up.total_seconds())}
        | relay
        | {"Wifi": wifi},
    )


def switched(topic: str, power: bool) -> tuple[Publication, Publication]:
    """A relay that changed is told twice: as JSON and, in the same breath, as plain text."""
    word = _power(power)
    plain = Publication(f"stat/{topic}/POWER", word.encode("ascii"))
    return _json(f"stat/{topic}/RESULT", {"POWER": word}), plain


def will(topic: str, online: bool) -> Publication:
    """Tasmota's retained LWT, capital first letter."""
    return Publication(f"tele/{topic}/LWT", b"Online" if online else b"Offline", retain=True)


def _json(topic: str, body: dict[str, object]) -> Publication:
    return Publication(topic, msgspec.json.encode(body))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def _power(on: bool) -> str:
    return "ON" if on else "OFF"
