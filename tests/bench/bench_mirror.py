"""Catching up after an outage of three days: points per CPU second, memory, the event loop.

300 devices' slow values and 3,000 door and motion events a day go into a store, two days of which
are then sealed, as a hub would have done. A process of its own opens it, with everything a hub
imports, and mirrors it to a server in another process; its CPU is counted, from the first question
to the last acknowledgement, client's import included. The server keeps a hash of every line, and
the lines must be exactly those that were made here; InfluxDB 1.6.7 is asked for its counts.

The limit is measured in the same run: the same lines, made before, gzipped as the client does and
posted by http.client, without a store and without making anything.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import hashlib
import http.client
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edge.clock import Clock
from hub.domain.centre import Building, Centre, Device, Placement, Room
from hub.mirror.lines import LineWriter
from hub.mirror.rules import MAX_LINES
from hub.store.store import Store
from tests.bench import month
from tests.bench.figures import Need, machine, quantile
from tests.bench.reference import DEVICES, ROOMS
from tests.influxd import BUCKET, ORG, TOKEN, Shim, new
from tests.mirror.making import mirror_settings

DAYS = 3
NEEDS = {
    "rate": Need(20_000, "points per CPU second", at_least=True),
    "memory": Need(40, "MiB more"),
}
FAST, USUAL = 1_000_000, 5_000
LOOK_S = 0.02


@dataclass
class Caught:
    """What one catch-up took."""

    points: int = 0
    personal: int = 0
    rejected: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_mib: float = 0.0
    lags_ms: list[float] = field(default_factory=list)


def centre() -> Centre:
    """The reference centre, as a configuration would give it."""
    return Centre(
        "hongmei",
        {"en": "Hongmei"},
        "Asia/Shanghai",
        (Building("main", {"en": "Main"}),),
        tuple(
            Room(f"r{n}", {"en": f"Room {n}"}, "main", n // 25 + 1, "meeting", 10)
            for n in range(ROOMS)
        ),
        (),
        tuple(
            Device(f"d{n}", "zigbee2mqtt", {"": Placement(f"r{n // 3}")}, "built", 600_000, 600_000)
            for n in range(DEVICES)
        ),
    )


async def make(folder: Path, end_s: int) -> tuple[list[str], int]:
    """Fill a store, seal what a hub would have sealed; the lines that must arrive, and commits."""
    made = month.Month(end_s - DAYS * month.DAY_S)
    store = await Store.open(folder, made.clock, 1000)
    lines: list[str] = []
    writer = LineWriter(centre())
    append, append_room = store.append, store._commits.append_room
    rooms: dict[int, str] = {}

    def keep(changes: Any, receipt: Any, urgent: bool) -> None:
        lines.extend(writer.lines(changes))
        append(changes, receipt, urgent)

    def keep_room(row: Any) -> None:
        from hub.store.outbox import RoomPoint

        rooms.update((number, room) for room, number in store._room_numbers.items())
        lines.extend(writer.lines((), (RoomPoint(rooms[row.number], row),)))
        append_room(row)

    store.append = keep  # type: ignore[method-assign]
    store._commits.append_room = keep_room  # type: ignore[method-assign]
    await made.play(store, DAYS)
    await store.upkeep.look()
    commits = store.commits
    await store.close()
    return lines, commits


class Counting(ThreadingHTTPServer):
    """Answers 204 and remembers the hash of every line."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CountingHandler)
        self.hashes: set[bytes] = set()
        self.received = 0


class CountingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        lines = body.split(b"\n")
        self.server.received += len(lines)
        self.server.hashes.update(map(digest, lines))
        self.wfile.write(b"HTTP/1.1 204 x\r\n\r\n")

    def do_GET(self) -> None:
        """What has come since the last time."""
        said = json.dumps([self.server.received, total(self.server.hashes)]).encode()
        self.server.received = 0
        self.server.hashes.clear()
        head = f"HTTP/1.1 200 x\r\nContent-Length: {len(said)}\r\n\r\n"
        self.wfile.write(head.encode() + said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=8).digest()


def total(hashes: set[bytes]) -> str:
    """One word for a set of lines, whatever their order."""
    together = hashlib.blake2b(digest_size=16)
    for item in sorted(hashes):
        together.update(item)
    return f"{len(hashes)} {together.hexdigest()}"


def count(ports: Any) -> None:
    with Counting() as server:
        ports.put(server.server_address[1])
        server.serve_forever()


@contextmanager
def counting() -> Iterator[int]:
    """The counting server in a process of its own; its port."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=count, args=(ports,), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=30)
    finally:
        process.kill()
        process.join(10)


def came(port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    received, word = json.loads(connection.getresponse().read())
    connection.close()
    return received, word


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def catch_up(url: str, folder: Path, rate: int, seconds: float) -> Caught:
    """Mirror a store until all is sent, or for so many seconds."""
    import hub.run  # noqa: F401 - what a hub has imported anyway is not the mirror's

    clock = Clock()
    store = await Store.open(folder, clock)
    token_file = folder / "token"
    token_file.write_text(TOKEN, encoding="ascii")
    settings = mirror_settings(url, org=ORG, bucket=BUCKET, rate=rate, token_file=str(token_file))
    from hub.mirror.service import Mirrors, State

    mirrors = Mirrors([settings], centre(), store.mirrors, clock)
    (mirror,) = mirrors.items
    caught = Caught()
    gc.collect()
    memory, cpu, begun = resident_mib(), cpu_s(), time.monotonic()
    running = asyncio.create_task(mirrors.run())
    while (
        mirror.state is not State.OK or mirror.commits_behind
    ) and time.monotonic() - begun < seconds:
        asked = time.monotonic()
        await asyncio.sleep(LOOK_S)
        caught.lags_ms.append((time.monotonic() - asked - LOOK_S) * 1000)
        caught.memory_mib = max(caught.memory_mib, resident_mib() - memory)
        if mirror.state in (State.ALARM, State.WAITING):
            raise SystemExit(f"the mirror is in trouble: {mirror.trouble}")
    caught.cpu_s, caught.wall_s = cpu_s() - cpu, time.monotonic() - begun
    caught.points, caught.rejected = mirror.points, mirror.rejected
    caught.personal = mirror.personal
    running.cancel()
    await asyncio.wait({running})
    await store.close()
    return caught


def child(url: str, folder: Path, rate: int, seconds: float) -> Caught:
    """A catch-up in a process of its own, on a copy of the store."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        copy = Path(name) / "data"
        shutil.copytree(folder, copy)
        arguments = ["--child", url, str(copy), str(rate), str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_mirror", *arguments],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return Caught(**json.loads(done.stdout.splitlines()[-1]))


def post(port: int, lines: list[str]) -> float:
    """CPU seconds of posting what was made before; the compression is in them."""
    bodies = [
        "\n".join(lines[at : at + MAX_LINES]).encode() for at in range(0, len(lines), MAX_LINES)
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = cpu_s()
    for body in bodies:
        packed = gzip.compress(body)
        connection.request("POST", "/api/v2/write", packed, {"Content-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
    used = cpu_s() - begun
    connection.close()
    return used


def check(caught: Caught, lines: list[str], arrived: str) -> None:
    """Stop where something is missing, doubled or different."""
    wanted = total({digest(line.encode()) for line in lines})
    problems = [
        arrived != wanted and f"arrived {arrived}, but made {wanted}",
        caught.rejected and f"{caught.rejected} lines were set aside",
        caught.personal and "something personal came to a mirror",
        caught.points < len(set(lines)) and f"only {caught.points} points were acknowledged",
    ]
    if any(problems):
        raise SystemExit(f"bench_mirror: {[p for p in problems if p]}")


def told(name: str, caught: Caught) -> str:
    lags = caught.lags_ms
    rate = NEEDS["rate"].verdict(caught.points / caught.cpu_s)
    return (
        f"{name}: {rate}, {NEEDS['memory'].verdict(caught.memory_mib)};\n    {caught.points} points"
        f" in {caught.wall_s:.1f} s, {caught.cpu_s:.2f} CPU s, loop lag p99"
        f" {quantile(lags, 0.99):.1f} ms, at most {max(lags):.0f} ms"
    )


def against_influxd(folder: Path, lines: list[str]) -> None:
    """The same to a real server, once; its counts of every field must be ours."""
    with new(folder.parent) as influxd, Shim(influxd) as shim:
        caught = child(shim.url, folder, FAST, 600)
        counts = influxd.ask('SELECT count("quality"), count("code"), count("seconds") FROM /.*/')
        found = sum(value for series in counts for value in series["values"][0][1:] if value)
    if found != len(set(lines)):
        raise SystemExit(f"bench_mirror: InfluxDB has {found} of {len(set(lines))} points")
    print(told("to InfluxDB 1.6.7, behind the shim", caught), flush=True)


def run() -> None:
    """Make three days, then catch up four times."""
    print(f"mirror: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bench-mirror-") as name:
        folder = Path(name) / "data"
        folder.mkdir()
        lines, commits = asyncio.run(make(folder, int(time.time())))
        print(f"three days: {len(lines)} points in {commits} commits, all to be found again")
        with counting() as port:
            url = f"http://127.0.0.1:{port}"
            caught = child(url, folder, FAST, 600)
            received, arrived = came(port)
            check(caught, lines, arrived)
            print(told("to a server that counts", caught), f"{received} lines received", flush=True)
            bare = post(port, lines)
            print(
                f"the same lines, made before, by http.client: {len(lines) / bare:.0f} points per"
                f" CPU second, so the mirror takes {caught.cpu_s / bare:.1f} times the CPU",
                flush=True,
            )
            quiet = child(url, folder, USUAL, 8.0)
            print(
                f"at {USUAL} points/s: {quiet.cpu_s / quiet.wall_s:.0%} of a core, loop lag p99"
                f" {quantile(quiet.lags_ms, 0.99):.1f} ms, {quiet.points} points in"
                f" {quiet.wall_s:.1f} s",
                flush=True,
            )
            if not 0 < quiet.points <= USUAL * (quiet.wall_s + 2):
                raise SystemExit("bench_mirror: the rate was not kept")
        against_influxd(folder, lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        address, data, rate, seconds = sys.argv[2:6]
        result = asyncio.run(catch_up(address, Path(data), int(rate), float(seconds)))
        print(json.dumps(asdict(result)))
    else:
        run()
