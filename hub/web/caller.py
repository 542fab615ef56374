"""Who is asking, as the guard found out, and what a form must bring to be believed."""

from __future__ import annotations

from markupsafe import Markup
from starlette.requests import HTTPConnection

from hub.domain.access import NOBODY, Principal

CSRF = "csrf"


def caller(request: HTTPConnection) -> Principal:
    """The guard puts him there; what no guard has looked at comes from nobody."""
    found: Principal = getattr(request.state, "principal", NOBODY)
    return found


def csrf_field(request: HTTPConnection) -> Markup:
    """A hidden field; the guard refuses a form without it before any route sees it."""
    token: str = getattr(request.state, CSRF, "")
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF, token)
