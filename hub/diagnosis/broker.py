"""Does the broker let us in, and does a message come back to us?"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.settings import MqttSettings
from hub.diagnosis.finding import Finding

WAIT_S = 5.0
REFUSED = {"Bad user name or password", "Not authorized"}


@dataclass(slots=True)
class _Trip:
    """What happened on the way there and back."""

    topic: str
    done: threading.Event = field(default_factory=threading.Event)
    refused: str = ""
    subscribed: bool = False
    started: float = 0.0
    took_ms: float | None = None

    def connected(self, client: mqtt.Client, _: Any, __: Any, code: Any, ___: Any) -> None:
        if code.is_failure:
            self.refused = str(code)
            self.done.set()
            return
        client.subscribe(self.topic, qos=1)

    def granted(self, client: mqtt.Client, _: Any, __: Any, codes: list[Any], ___: Any) -> None:
        if any(code.is_failure for code in codes):
            self.done.set()
            return
        self.subscribed = True
        self.started = time.monotonic()
        client.publish(self.topic, b"doctor", qos=1)

    def arrived(self, _: mqtt.Client, __: Any, ___: mqtt.MQTTMessage) -> None:
        self.took_ms = (time.monotonic() - self.started) * 1000
        self.done.set()


def examine_broker(settings: MqttSettings) -> Iterator[Finding]:
    """Connect, subscribe, publish, wait for our own message."""
    address = f"{settings.host}:{settings.port}"
    trip = _Trip(f"linli/doctor/{os.getpid()}")
    try:
        client = _client(settings, trip)
        client.connect(settings.host, settings.port, keepalive=30)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        yield Finding("broker", "broken", f"{address}: {reason}", _unreachable(settings))
        return
    client.loop_start()
    trip.done.wait(WAIT_S)
    client.disconnect()
    client.loop_stop()
    yield from _verdict(trip, address)


def _client(settings: MqttSettings, trip: _Trip) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"linli-doctor-{os.getpid()}")
    client.connect_timeout = WAIT_S
    if settings.username is not None:
        password = settings.password_file
        secret = Path(password).read_text(encoding="utf-8").strip() if password else None
        client.username_pw_set(settings.username, secret)
    if settings.tls is not None:
        context = ssl.create_default_context(cafile=settings.tls.ca_file)
        if settings.tls.cert_file is not None:
            context.load_cert_chain(settings.tls.cert_file, settings.tls.key_file)
        client.tls_set_context(context)
    client.on_connect = trip.connected
    client.on_subscribe = trip.granted
    client.on_message = trip.arrived
    return client


def _unreachable(settings: MqttSettings) -> str:
    if settings.host in ("127.0.0.1", "localhost", "::1"):
        return "sudo apt install mosquitto, then: sudo systemctl enable --now mosquitto"
    return "Check mqtt.host, mqtt.port, mqtt.password_file and the network."


def _verdict(trip: _Trip, address: str) -> Iterator[Finding]:
    if trip.refused:
        remedy = "Check mqtt.username and mqtt.password_file, and the broker's password file."
        if trip.refused not in REFUSED:
            remedy = "Look into the broker's log."
        yield Finding("broker", "broken", f"{address} refuses us: {trip.refused}", remedy)
    elif trip.took_ms is not None:
        yield Finding("broker", "ok", f"{address}, there and back in {trip.took_ms:.0f} ms")
    elif trip.subscribed:
        # A publication that the access list forbids is acknowledged and dropped (MQTT 3.1.1).
        remedy = "Let our account read and write linli/# in the broker's access list."
        yield Finding("broker", "broken", f"{address}: our own message does not return", remedy)
    else:
        remedy = "Let our account read linli/# in the broker's access list; see its log."
        yield Finding("broker", "broken", f"{address} does not let us subscribe", remedy)
