"""The frame of every page: language, notices, error pages, and the two shapes of an answer.

Each page has one address. Asked for plainly it is a whole document (``board.html``); asked for by
the page's own script, with ``HX-Request``, it is only the part that changes
(``board_live.html``). So a page without scripts shows the same as a live one.

Templates get ``t(code, **params)`` and never a sentence of their own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hub.domain.access import Permission, Principal
from hub.domain.centre import Centre, Name, Room, pick
from hub.domain.room import Text
from hub.domain.views import HubView
from hub.texts import LANGUAGES, catalogue, clock, has, local, negotiate, render
from hub.web.assets import Assets
from hub.web.caller import caller, csrf_field

COOKIE = "lang"
_GAP_IN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_A_YEAR_S = 365 * 24 * 3600
_OWN_NAMES = {"zh-CN": "简体", "zh-TW": "繁體", "en": "English"}
_ERRORS = (403, 404, 503)  # the ones that have words of their own; others read as 400 or 500

Translate = Callable[..., str]


@functools.cache
def assets() -> Assets:
    """One copy of the browser files for the process."""
    return Assets()


@functools.cache
def environment() -> Environment:
    """Templates, compiled once; ``StrictUndefined`` because a blank on a screen is a lie."""
    made = Environment(
        loader=PackageLoader("hub.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = assets().url
    return made


class Frame:
    """What a page knows besides its subject. One per router; holds no state of its own."""

    def __init__(self, centre: Centre, hub: HubView) -> None:
        self.centre = centre
        self.hub = hub

    def answer(
        self, request: Request, page: str, /, speaks: str | None = None, **context: Any
    ) -> HTMLResponse:
        """The page as a document, or its live part; ``speaks``: not in the reader's language."""
        language = speaks or language_of(request)
        if request.headers.get("hx-request"):
            return self._respond(f"{page}_live.html", language, request, context)
        return self.document(request, page, language, **context)

    def document(
        self, request: Request, page: str, language: str, /, **context: Any
    ) -> HTMLResponse:
        """A page as a whole, also where it has no part that changes."""
        response = self._respond(f"{page}.html", language, request, context)
        return self.remember(request, response, language)

    def remember(self, request: Request, response: HTMLResponse, language: str) -> HTMLResponse:
        """Whoever asked for a language keeps it."""
        if request.query_params.get("lang"):
            response.set_cookie(COOKIE, language, max_age=_A_YEAR_S, samesite="lax", httponly=True)
        return response

    def error(self, request: Request, status: int, text: Text | None = None) -> HTMLResponse:
        """A designed page for a refused, unknown or failed request; ``text`` says it closer."""
        code = status if status in _ERRORS else 500 if status >= 500 else 400
        words = text or Text(f"error.{code}.text")
        context = {"code": code, "here": "", "words": self.text(words, language_of(request))}
        response = self._respond("error.html", language_of(request), request, context)
        response.status_code = status
        return response

    def when(self, at_ms: int, language: str) -> str:
        """A clock time in the centre's zone, with its date where it is not today."""
        return clock(at_ms, language, self.centre.timezone, self.hub.now_ms())

    def date(self, at_ms: int) -> str:
        """Date and clock time with the year, for what may be years away."""
        return f"{local(at_ms, self.centre.timezone):%Y-%m-%d %H:%M}"

    def text(self, text: Text, language: str, at_ms: int | None = None) -> str:
        """A sentence as it is read now, or was at a moment: times of that day have no date."""
        now_ms = self.hub.now_ms() if at_ms is None else at_ms
        line = render(text, language, self.centre.timezone, now_ms)
        line = _GAP_IN_CHINESE.sub("", line)  # it is set off for an id, and a name may stand there
        if language != "en":
            return line
        return line[:1].upper() + line[1:]  # it may begin with what a device is: "radar ..."

    def place(self, room: Room, language: str) -> str:
        """Building and floor; the building only where there are several."""
        floor_ = floor(room.floor, language)
        if len(self.centre.buildings) < 2:
            return floor_
        name = next((b.name for b in self.centre.buildings if b.id == room.building), {})
        if not name:
            return floor_
        gap = ", " if language == "en" else " "
        return f"{pick(name, language)}{gap}{floor_}"

    def room_at(self, room: Room, language: str) -> str:
        """A room's name, and where that is."""
        name, place = pick(room.name, language), self.place(room, language)
        return translator(language)("ui.room_at", room=name, place=place)

    def _respond(
        self, template: str, language: str, request: Request, context: dict[str, Any]
    ) -> HTMLResponse:
        known = self._common(request, language, context.get("here", ""))
        html = environment().get_template(template).render(known | context)
        headers = {"Cache-Control": "no-store", "Vary": "HX-Request, Accept-Language, Cookie"}
        return HTMLResponse(html, headers=headers)

    def _common(self, request: Request, language: str, here: str) -> dict[str, Any]:
        now = self.hub.now_ms()
        return {
            "t": translator(language),
            "here": "",
            "language": language,
            "languages": [(tag, _OWN_NAMES[tag], _address(request, lang=tag)) for tag in LANGUAGES],
            "address": _address(request, lang=language),
            "centre": named(self.centre.name, language),
            "clock": clock(now, language, self.centre.timezone),
            "as_of": f"{local(now, self.centre.timezone):%Y-%m-%dT%H:%M%z}",
            # which port is lost and where copies go is nothing for strangers at the door
            "notices": self._notices_for(caller(request), language, here),
            "untaken": self.hub.alerts() if caller(request).may(Permission.ALERTS) else 0,
            "principal": caller(request),
            "may": caller(request).may,
            "csrf": csrf_field(request),
            "named": functools.partial(named, language=language),
            "when": functools.partial(self.when, language=language),
        }

    def _notices_for(self, who: Principal, language: str, here: str) -> list[tuple[str, str]]:
        if not who.may(Permission.SHOW):
            return []
        tells_links = here != "alerts"  # there each lost link has its alert
        return self.notices(
            language, is_hall=not who.may(Permission.ROOMS), tells_links=tells_links
        )

    def notices(
        self, language: str, *, is_hall: bool, tells_links: bool = True
    ) -> list[tuple[str, str]]:
        """What the hub says of itself, as (kind, sentence); empty while all is well.

        ``is_hall``: on a screen that everybody passes, who need not know which port is lost or
        where copies go.
        """
        t, found = translator(language), []
        if not self.hub.is_time_trusted():
            found.append(("warning", t("ui.clock_untrusted")))
        found += [("warning", sentence) for sentence in self._about_disk(language)]
        if not is_hall:
            found += [("warning", sentence) for sentence in self._about_copies(language)]
        if (year := self.hub.unknown_year()) is not None:
            found.append(("note", t("ui.holidays_unknown_notice", year=year)))
        if tells_links and (links := self.hub.links_down()):
            found.append(("warning", _links_down(links, language, is_hall=is_hall)))
        if (speed := self.hub.speed()) != 1:
            found.append(("note", t("ui.speed", speed=f"{speed:g}")))
        return found

    def _about_disk(self, language: str) -> Iterator[str]:
        t, storage = translator(language), self.hub.storage()
        if storage.failing_since_ms is not None:
            since = self.when(storage.failing_since_ms, language)
            words = t("ui.storage_failing", time=since, waiting=storage.in_memory)
            if storage.lost:
                lost = t("ui.storage_lost", count=storage.lost)
                words += ("" if language != "en" else " ") + lost
            yield words

    def _about_copies(self, language: str) -> Iterator[str]:
        """Those that do not get on by themselves."""
        t = translator(language)
        for copy in self.hub.copies():
            if copy.needs_people and copy.trouble is not None:
                name = f"{t(f'ui.copy_{copy.kind}')} {copy.name}".strip()
                name += " " if copy.name and language != "en" else ""  # a Latin id before Chinese
                yield t("ui.copy_stuck", name=name, why=render(copy.trouble, language))


def language_of(request: Request) -> str:
    """``?lang=``, else the cookie, else what the browser prefers."""
    return negotiate(
        request.query_params.get("lang"),
        request.cookies.get(COOKIE),
        request.headers.get("accept-language"),
    )


@functools.cache
def translator(language: str) -> Translate:
    """``t("ui.people", people=3)``; a code without a sentence is a bug in a template."""
    sentences = catalogue(language)

    def t(code: str, /, **params: str | int) -> str:
        if code not in sentences:
            raise KeyError(f"no sentence for {code}")
        return render(Text(code, dict(params)), language)

    return t


def word(code: str, language: str, otherwise: str) -> str:
    """A sentence where there is one: room kinds and channels may be newer than the catalogues."""
    return render(Text(code), language) if has(code) else otherwise


def named(name: Name, language: str) -> Markup:
    """A name, marked with its own language where it is not the page's."""
    shown = pick(name, language)
    tag = next(tag for tag, text in name.items() if text == shown)
    if tag == language or name.get(language) == shown:
        return escape(shown)
    return Markup('<span lang="{}">{}</span>').format(tag, shown)


def floor(number: int, language: str) -> str:
    """Floors count from 1 as the signs in the house do; below it there are basements."""
    if number < 0:
        return render(Text("ui.basement", {"floor": -number}), language)
    return render(Text("ui.floor", {"floor": number}), language)


def _links_down(links: Mapping[str, str], language: str, *, is_hall: bool) -> str:
    t = translator(language)
    if is_hall:
        return t("ui.some_links_down", count=len(links))
    parts = [
        t("ui.link_why", link=name, why=word(f"link.{why}", language, why))
        for name, why in links.items()
    ]
    return t("ui.links_down", links=t("ui.comma").join(parts))


def _address(request: Request, **changed: str) -> str:
    query = dict(request.query_params) | changed
    return f"{request.url.path}?{urlencode(query)}"
