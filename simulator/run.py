"""The simulator joined: the house moves by the clock; its wires and its panel are served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from simulator.broker import Address, Gateway
from simulator.centre import Centre
from simulator.clock import Clock
from simulator.house import House
from simulator.panel.server import listen, serve_panel

TICK_S = 0.1
RADAR_CLOCK_S = 2.0
RADAR_FASTEST_S, RADAR_SLOWEST_S = 0.05, 0.5
"""A real LD2410 sends ten reports a second. Ours sends two: plenty for rules that want to hear it
within five seconds, at a fifth of the cost on a small computer that plays the sensors as well.
While the clock runs fast it sends one every two seconds of the clock, for the same reason.
"""


async def simulate(
    centre: Centre,
    clock: Clock,
    *,
    seed: int,
    broker: Address,
    panel_port: int,
    stop: asyncio.Event,
    ready: Callable[[str], None],
) -> None:
    """Play the centre until ``stop``. ``ready`` is told the panel's address once all ports exist.

    Raises:
        OSError: a serial path cannot be made, or the panel's port is taken.
    """
    gateway = Gateway(broker)
    house = House(centre, seed, clock.now_ms(), gateway.publish)
    with listen(panel_port) as listener:
        try:
            house.start()
            ready(f"http://127.0.0.1:{listener.getsockname()[1]}/")
            await _play(house, clock, gateway, listener, stop)
        finally:
            house.stop()


async def _play(
    house: House, clock: Clock, gateway: Gateway, listener: socket.socket, stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_every(TICK_S, lambda: house.advance(clock.now_ms()))),
            group.create_task(_stream(house, clock)),
            group.create_task(gateway.run(house.bases(), house.greet)),
            group.create_task(serve_panel(house, clock, listener)),
        ]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _every(seconds: float, act: Callable[[], None]) -> None:
    while True:
        act()
        await asyncio.sleep(seconds)


async def _stream(house: House, clock: Clock) -> None:
    while True:
        house.stream(clock.now_ms())
        due_s = clock.real_seconds(RADAR_CLOCK_S * 1000)
        await asyncio.sleep(min(max(due_s, RADAR_FASTEST_S), RADAR_SLOWEST_S))
