"""The panel's routes and guards.

It changes things, so it trusts nobody by default: it listens on loopback, answers only under its
own name (a page elsewhere may point a name at 127.0.0.1), and takes a POST only from its own page.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import uvicorn
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.clock import Clock
from simulator.faults import Fault
from simulator.house import House
from simulator.panel import view, words

FOLDER = Path(__file__).parent
NAMES = ("127.0.0.1", "localhost")
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # stricter would turn our own forms' Origin into null
    (b"cache-control", b"no-store"),
)


def _rooms(house: House) -> set[str]:
    return {room.id for room in house.centre.rooms}


def _doors(house: House) -> set[str]:
    return {door.id for door in house.centre.passages}


def _devices(house: House) -> set[str]:
    return set(house.devices)


ACTIONS: dict[tuple[str, str], tuple[Callable[[House], set[str]], Callable[[House, str], None]]] = {
    ("rooms", "motion"): (_rooms, House.let_someone_in),
    ("rooms", "measure"): (_rooms, House.measure),
    ("doors", "open"): (_doors, House.open_door),
    ("devices", "repair"): (_devices, House.repair),
}


class Guard:
    """Refuses foreign hosts and origins; adds the headers that keep a page to itself."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        headers = request.headers
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This panel answers on this computer only.\n", 421)
        if request.method in ("GET", "HEAD"):
            return None
        # A browser always says where a POST comes from; a program on this computer need not.
        site = headers.get("sec-fetch-site", "same-origin")
        if headers.get("origin", f"http://{host}") != f"http://{host}" or site != "same-origin":
            return PlainTextResponse("Refused: this came from another page.\n", 403)
        return None


class Panel:
    """Its pages and buttons."""

    def __init__(self, house: House, clock: Clock) -> None:
        self._house = house
        self._clock = clock
        pages = Environment(loader=FileSystemLoader(FOLDER), autoescape=select_autoescape())
        self._page = pages.get_template("page.html")

    async def show(self, request: Request) -> Response:
        chosen = _language(request)
        body = self._page.render(
            rooms=view.rooms(self._house, chosen),
            centre=words.pick(self._house.centre.name, chosen),
            language=chosen,
            languages=(("zh-CN", "简体"), ("zh-TW", "繁體"), ("en", "English")),
            t=lambda code: words.text(code, chosen),
        )
        return Response(body, media_type="text/html", headers={"content-language": chosen})

    async def state(self, request: Request) -> Response:
        rooms = view.rooms(self._house, _language(request))
        found = {"now_ms": self._clock.now_ms(), "rooms": rooms}
        return Response(msgspec.json.encode(found), media_type="application/json")

    async def act(self, request: Request) -> Response:
        try:
            _press(self._house, **request.path_params)
        except (KeyError, ValueError):
            return PlainTextResponse("There is no such thing to press.\n", 404)
        except OSError as error:
            return PlainTextResponse(f"That port cannot be used now: {error}\n", 503)
        if "application/json" in request.headers.get("accept", ""):
            return Response(status_code=204)
        return RedirectResponse(f"/?lang={_language(request)}", 303)


def panel(house: House, clock: Clock, port: int) -> ASGIApp:
    """The panel as an application; ``port`` is the one it will be reached by."""
    shown = Panel(house, clock)
    routes = [
        Route("/", shown.show),
        Route("/state", shown.state),
        Route("/{what}/{item}/{action}", shown.act, methods=["POST"]),
        Route("/{what}/{item}/{action}/{fault}", shown.act, methods=["POST"]),
        *(Route(f"/{name}", _file(name)) for name in ("panel.css", "panel.js")),
    ]
    return Guard(Starlette(routes=routes), port)


def _language(request: Request) -> str:
    accepted = request.headers.get("accept-language", "")
    return words.choose(request.query_params.get("lang"), accepted)


def _press(house: House, what: str, item: str, action: str, fault: str | None = None) -> None:
    """Do what a button says; KeyError or ValueError where there is no such button."""
    if fault is not None:
        _break({("devices", "break"): house}[what, action], item, fault)
        return
    known, act = ACTIONS[what, action]
    if item not in known(house):
        raise KeyError(item)
    act(house, item)


def _break(house: House, device: str, fault: str) -> None:
    kind = Fault(fault)
    if kind not in house.devices[device].possible_faults:
        raise KeyError(fault)
    house.break_down(device, kind)


def _file(name: str) -> Callable[[Request], Response]:
    return lambda _: FileResponse(FOLDER / name)


class PanelServer(uvicorn.Server):
    """Signals belong to whoever started the simulator."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int) -> socket.socket:
    """Take a loopback port, any free one for 0.

    Raises:
        OSError: somebody has it.
    """
    return socket.create_server((NAMES[0], port))


async def serve_panel(house: House, clock: Clock, listener: socket.socket) -> None:
    """Serve until cancelled, then let running answers finish."""
    config = uvicorn.Config(
        panel(house, clock, listener.getsockname()[1]),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = PanelServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
