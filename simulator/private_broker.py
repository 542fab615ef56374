"""A broker for the demo alone: Mosquitto where it is installed, else amqtt, in a child process.

It listens on a free loopback port, keeps nothing on disk and ends with the demo. amqtt keeps no
messages for a subscriber that is away, so nothing here relies on durable sessions.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from simulator.processes import Child

HOST = "127.0.0.1"
ATTEMPTS = 3  # somebody may take the free port between our asking and the broker's binding
READY_WITHIN_S = 5.0
MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence false
max_inflight_messages 1000
max_queued_messages 10000
max_packet_size 8388608
log_dest none
user {user}
"""


class NoBrokerError(RuntimeError):
    """There is no broker to be had; the message says what to do."""


def start(folder: Path) -> tuple[Child, int]:
    """Start a broker and wait until it answers; return it and its port.

    Raises:
        NoBrokerError: none is installed, or it does not come up.
    """
    for _ in range(ATTEMPTS):
        port = _free_port()
        child = _launch(folder, port)
        if _answers(child, port):
            return child, port
        child.stop()
    raise NoBrokerError(
        "The MQTT broker does not start. Nothing was started. "
        "Try it by hand to see why: mosquitto -v -p 18830"
    )


def _launch(folder: Path, port: int) -> Child:
    program = mosquitto()
    if program is not None:
        file = folder / "mosquitto.conf"
        # started by root it would change to an account that cannot read our folder
        user = "root" if os.geteuid() == 0 else "mosquitto"
        file.write_text(MOSQUITTO.format(port=port, host=HOST, user=user))
        return Child([program, "-c", str(file)], quiet=True)
    if has_amqtt():
        return Child([sys.executable, "-m", __name__, str(port)], ends_by_eof=True)
    raise NoBrokerError(
        "There is no MQTT broker on this machine. Nothing was started. "
        "Install one: sudo apt-get install mosquitto   (or: pip install 'linli[demo]')"
    )


def mosquitto() -> str | None:
    """Debian keeps it outside a user's PATH."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def has_amqtt() -> bool:
    return importlib.util.find_spec("amqtt") is not None


def _answers(child: Child, port: int) -> bool:
    deadline = time.monotonic() + READY_WITHIN_S
    while child.is_running and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port), timeout=0.5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def serve_amqtt(port: int) -> None:
    """Be the broker until standard input ends."""
    from amqtt.broker import Broker

    plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {plugin: {"allow_anonymous": True}},
        }
    )
    await broker.start()
    await asyncio.to_thread(sys.stdin.read)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(serve_amqtt(int(sys.argv[1])))
