"""``/docs``: the OpenAPI document as a page of our own, without anybody else's script."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from hub.web.page import Frame


class Parameter(msgspec.Struct, frozen=True):
    name: str
    place: str  # path, query or header
    text: str


class Operation(msgspec.Struct, frozen=True):
    """One address and what it takes."""

    method: str
    path: str
    text: str
    parameters: tuple[Parameter, ...]


def pages(app: FastAPI, frame: Frame) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def show_docs(request: Request) -> HTMLResponse:
        return frame.answer(request, "docs", operations=operations(app.openapi()))

    return router


def operations(schema: dict[str, Any]) -> list[Operation]:
    """Every operation of an OpenAPI document."""
    return [
        Operation(
            method.upper(),
            path,
            described.get("description") or described.get("summary", ""),
            tuple(_parameter(item) for item in described.get("parameters", ())),
        )
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
    ]


def _parameter(item: dict[str, Any]) -> Parameter:
    text = item.get("description", "")
    return Parameter(item["name"], item["in"], text)
