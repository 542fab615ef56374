"""The OpenAPI document: FastAPI's, with our documents, an example of each, and who may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from hub.api import examples
from hub.api.answers import DOCUMENTS, PROBLEM_JSON, Problem, problematic, refused
from hub.api.schemas import REFERENCE, Schema
from hub.domain.access import PERMISSIONS, Permission

Rules = Mapping[tuple[str, str], Permission]
Operation = dict[str, Any]
JSON = "application/json"
FASTAPIS = "HTTPValidationError"
"""What FastAPI promises where nobody said what 422 means; we answer with a problem."""

SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token: `linli token add` prints one, once.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "description": "A browser that is signed in. What changes something also needs the "
        "header `X-CSRF-Token`.",
    },
}


def describe(app: FastAPI, routes: Iterable[BaseRoute], rules: Rules, cookie: str) -> None:
    """Complete the document when it is asked for. ``cookie``: what a session's is called."""
    documents = [Problem, *_documents(routes)]
    plain: Callable[[], dict[str, Any]] = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            _complete(schema, documents, rules, cookie)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _documents(routes: Iterable[BaseRoute]) -> Iterator[Any]:
    """What routes answer and take, taken out of where they said so."""
    for route in routes:
        if isinstance(route, APIRoute):
            for said in (*route.responses.values(), route.openapi_extra or {}):
                yield from said.pop(DOCUMENTS, ())


def _complete(schema: dict[str, Any], documents: Iterable[Any], rules: Rules, cookie: str) -> None:
    _, shapes = msgspec.json.schema_components(documents, ref_template=REFERENCE)
    components = schema.setdefault("components", {})
    found = components.setdefault("schemas", {})
    found.update(shapes)
    for name in (FASTAPIS, "ValidationError"):
        found.pop(name, None)
    components["securitySchemes"] = SCHEMES | {"cookie": SCHEMES["cookie"] | {"name": cookie}}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _protect(operation, rules[method.upper(), path])
            _show(operation, components["schemas"])


def _protect(operation: Operation, permission: Permission) -> None:
    """Who may ask, and what others are told."""
    is_public = permission is Permission.PUBLIC
    roles = [role.value for role, may in PERMISSIONS.items() if permission in may]
    operation["security"] = [] if is_public else [{"bearer": []}, {"cookie": []}]
    operation["x-roles"] = ["public"] if is_public else roles
    said = operation["responses"]
    for status, response in refused(is_public=is_public).items():
        said.setdefault(str(status), response)
    if FASTAPIS in str(said.get("422")):
        said["422"] = problematic("A parameter that cannot be used")


def _show(operation: Operation, shapes: Mapping[str, Schema]) -> None:
    """An example of each parameter, body and answer."""
    own = examples.QUERIES_OF.get(operation.get("tags", [""])[0], {})
    for parameter in operation.get("parameters", ()):
        words = examples.PATHS if parameter["in"] == "path" else {**examples.QUERIES, **own}
        found = words.get(parameter["name"].lower())
        if found is not None:
            parameter.setdefault("example", found)
    for status, said in operation["responses"].items():
        if PROBLEM_JSON in said.get("content", {}):
            said["content"][PROBLEM_JSON]["example"] = examples.problem(int(status))
    for said in (operation["responses"]["200"], operation.get("requestBody", {})):
        content = said.get("content", {}).get(JSON)
        if content is not None and "examples" not in content:
            content["example"] = examples.example(content["schema"], shapes)
