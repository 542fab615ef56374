"""`linli demo`: a whole centre on this machine, without any device.

    private broker  <-- simulator (child process: people, devices, panel)
          |                 |
          MQTT         pseudo-terminals
          |                 |
          +----> the hub, as `linli run` would start it (this process)

Simulator and broker are processes of their own, so that they take neither the hub's time nor its
good name. All of it lives in one temporary folder and ends with this command.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
import tempfile
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.clock import Clock
    from hub.settings import CentreSettings
    from simulator.processes import Child

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
The demo's clock starts ten minutes in the past and runs twenty times faster until it has caught up
with true time, after about half a minute; that is how sensors prove within a minute what takes
them ten. Then it runs at true time, or at --speed.

Nothing of it is kept, unless --data names a folder.

examples:
  linli demo
  linli demo --port 9000 --seed 7     another port, another day
  linli demo --speed 10               a working day in an hour
"""
FILE = "demo.yaml"
PLACEHOLDER = "/run/linli-demo/"
HEAD_START_MS = 600_000
QUICK = 20.0
FASTEST = 20.0
"""A radar must be heard every five seconds of the clock to prove anything. At 20 that is a quarter
of a true second; at 30 a busy machine was seen to miss it, and free rooms flickered."""
GREETING = """
  邻里演示已启动 · The Linli demo is running

    状态板 Board    {board}
    面板   Panel    {panel}

  试一试 · What to try
    1. 看状态板：半分钟内各房间有了依据。Watch the board: within half a minute rooms have proof.
    2. 在面板上按“有人走动”，看房间变为使用中。Press "Somebody moves"; its room turns to in use.
    3. 拔下一间空闲房间的雷达：房间变为无法确定。Unplug a free room's radar: unknown, not free.
    4. 打开房间页，看依据和设备。Open a room's page: the evidence, and its devices.

  Ctrl-C 结束 · ends it
"""
CHILD_READY_S = 20.0
WATCH_S = 1.0
log = logging.getLogger("linli")


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "demo",
        help="start a simulated centre, and open its pages",
        description="Start a simulated centre: broker, devices, people, hub.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8080, help="of the pages; 0: any free one")
    parser.add_argument("--panel-port", type=int, default=0, help="of the panel; default: any")
    parser.add_argument("--speed", type=float, default=1.0, help=f"1 to {FASTEST:g}; default 1")
    parser.add_argument("--seed", type=int, default=1, help="another day of other people")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep the history there")
    parser.add_argument(
        "--browser",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="open the board in this machine's browser",
    )


class DemoError(Exception):
    """The demo cannot run; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands around the hub."""

    settings: CentreSettings
    clock: Clock
    data: Path
    children: dict[str, Child]
    panel: str


def run(arguments: argparse.Namespace) -> int:
    """Set the stage, serve until a signal, and leave nothing behind."""
    from hub.commands.run import set_up_logging
    from simulator.private_broker import NoBrokerError

    set_up_logging("warning")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the loop takes over
    try:
        _check(arguments)
        with contextlib.ExitStack() as cleanup:
            _play(_stage(arguments, cleanup), arguments)
    except (DemoError, NoBrokerError) as error:
        print(f"linli demo: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"linli demo: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """What would otherwise fail late, when half of it runs."""
    try:
        socket.create_server(("127.0.0.1", arguments.port)).close()
    except (OSError, OverflowError) as error:
        raise DemoError(
            f"port {arguments.port} cannot be used ({error}). Nothing was started. "
            "Choose another: linli demo --port 8081, or --port 0 for any free one."
        ) from error
    if arguments.speed != 1 and _newest_ms(arguments.data):
        raise DemoError(
            f"{arguments.data} holds history already, and a faster clock would overtake it. "
            "Nothing was started. Use --speed with an empty folder, or without --data."
        )


def _stage(arguments: argparse.Namespace, cleanup: contextlib.ExitStack) -> Stage:
    """Start broker and simulator; the hub's own libraries are imported while those come up."""
    from edge.clock import Clock
    from hub.settings import beside, parse
    from simulator import private_broker

    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="linli-demo-")))
    broker, broker_port = private_broker.start(folder)
    cleanup.callback(broker.stop)
    example = beside(_file().parent, parse(_file().read_text(encoding="utf-8"), FILE))
    settings = _resolved(example, folder, broker_port, arguments.port)
    data = arguments.data or folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    speed = _speed(arguments.speed)
    now_ms = int(time.time() * 1000)
    start_ms = max(now_ms - HEAD_START_MS, min(_newest_ms(arguments.data), now_ms))
    clock = Clock(start_ms, max(QUICK, speed), speed)
    simulator = _start_simulator(settings, arguments, clock, speed)
    cleanup.callback(simulator.stop)
    import hub.run  # noqa: F401 - takes a second, in which the simulator starts

    panel = simulator.hear(CHILD_READY_S).decode()
    if not panel:
        raise DemoError("the simulator did not start; its reason is above. Nothing is left.")
    return Stage(settings, clock, data, {"broker": broker, "simulator": simulator}, panel)


def _file() -> Path:
    """In a source tree beside the packages, in an installed one inside this one."""
    package = Path(__file__).parent.parent
    inside = package / "config" / FILE
    return inside if inside.exists() else package.parent / "config" / FILE


def _newest_ms(data: Path | None) -> int:
    """When history was last written there; time must not go back behind it."""
    if data is None or not data.is_dir():
        return 0
    return max((int(file.stat().st_mtime * 1000) + 1 for file in data.iterdir()), default=0)


def _speed(wanted: float) -> float:
    if 1 <= wanted <= FASTEST:
        return wanted
    speed = min(max(wanted, 1.0), FASTEST)
    print(f"--speed {wanted:g} -> {speed:g}: 1 to {FASTEST:g} can be followed honestly.")
    return speed


def _resolved(example: CentreSettings, folder: Path, broker_port: int, port: int) -> CentreSettings:
    """The demo's centre with this run's folder and ports; all else is as in the file."""
    from edge.settings import SerialLink

    devices = []
    for item in example.devices:
        if isinstance(item.link, SerialLink):
            path = item.link.serial.replace(PLACEHOLDER, f"{folder}/", 1)
            item = item.model_copy(update={"link": item.link.model_copy(update={"serial": path})})
        devices.append(item)
    return example.model_copy(
        update={
            "devices": devices,
            "mqtt": example.mqtt.model_copy(update={"port": broker_port}),
            "http": example.http.model_copy(update={"port": port}),
        }
    )


def _start_simulator(
    settings: CentreSettings, arguments: argparse.Namespace, clock: Clock, cruise: float
) -> Child:
    import msgspec

    from hub.commands.simulate import Job, describe
    from simulator.broker import Address
    from simulator.processes import Child

    centre, _ = describe(settings)
    child = Child([sys.executable, "-m", "hub.commands.simulate"], ends_by_eof=True)
    job = Job(
        centre=centre,
        broker=Address(settings.mqtt.host, settings.mqtt.port),
        seed=arguments.seed,
        panel_port=arguments.panel_port,
        clock_ms=clock.now_ms(),
        true_s=time.time(),
        speed=clock.speed,
        cruise=cruise,
    )
    child.tell(msgspec.json.encode(job))
    return child


def _play(stage: Stage, arguments: argparse.Namespace) -> None:
    import uvloop

    from hub.run import serve

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        watching = loop.create_task(_watch(stage.children))

        def ready(address: str) -> None:
            _greet(address, stage.panel)
            if arguments.browser:
                loop.run_in_executor(None, webbrowser.open, address)

        try:
            await serve(stage.settings, stage.clock, stop, data=stage.data, ready=ready)
        finally:
            watching.cancel()

    uvloop.run(until_stopped())


async def _watch(children: dict[str, Child]) -> None:
    """Say so, once, when a part of the stage falls over; the hub shows the rest."""
    missed: set[str] = set()
    while len(missed) < len(children):
        for name, child in children.items():
            if name not in missed and not child.is_running:
                missed.add(name)
                log.warning("The demo's %s has ended (status %s).", name, child.status)
                log.warning("The hub runs on and shows what that means. Start the demo again.")
        await asyncio.sleep(WATCH_S)


def _greet(address: str, panel: str) -> None:
    print(GREETING.format(board=f"{address}/", panel=panel), flush=True)
