"""Every route of the OpenAPI document, asked by a token of each role and by nobody for what nobody
thought of: whatever is asked, the answer is one that the document promises.

Each generated request is sent by everybody in turn to one real hub, so that each route gets at
least 50 requests of each of them. The seed is fixed: a red test is red again.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.access.routes import RULES
from hub.domain.access import PERMISSIONS, Permission, Role
from tests.access.closed_hub import ClosedHub

EXAMPLES = 50
SEED = 20_261_120
WITHIN_S = 20
STREAM = "/api/v1/events"
PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")
ROUTES = sorted(f"{method} {path}" for method, path in RULES if path.startswith(PROGRAMS))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOBODY = "nobody"
REAL = {"room": "gym", "device": "eye", "channel": "presence"}
"""Of what there is; a made-up name hardly ever meets one."""

Headers = dict[str, str]
Request = Case[Any]
NOISE = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(["en", "zh-TW, en;q=0.5", "xx", ";q=x", "*", "zh" * 99]),
        "If-None-Match": st.sampled_from(["*", '"x"', 'W/"1-en-1", "2"', "\\"]),
        "Accept": st.sampled_from(["text/html", "application/xml", "*/*", ""]),
        "Range": st.just("bytes=0-10"),
    },
)


@dataclass
class Asking:
    """The hub, its document, and whoever asks."""

    url: str
    schema: Any
    callers: Mapping[str, Headers]
    session: requests.Session

    def send(self, case: Request, headers: Headers) -> requests.Response:
        sent = case.as_transport_kwargs(base_url=self.url, headers=headers)
        sent["timeout"] = WITHIN_S
        if case.operation.path != STREAM:
            return self.session.request(**sent)
        # it never ends: its first words show what it is
        with self.session.request(**sent, stream=True) as response:
            response._content = next(response.iter_content(65_536))
        return response


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """One hub for all routes."""
    with asyncio.Runner() as runner, requests.Session() as session:
        hub = ClosedHub(tmp_path_factory.mktemp("hub"))
        runner.run(hub.start())
        try:
            roles = [role for role in Role if role is not Role.PUBLIC]
            tokens = {role.value: hub.token(role.value, role) for role in roles}
            callers = {name: {"Authorization": f"Bearer {key}"} for name, key in tokens.items()}
            last = callers[roles[-1].value]
            runner.run(hub.answers(200, "/openapi.json", **last))
            found = session.get(f"{hub.url}/openapi.json", headers=last, timeout=WITHIN_S).json()
            schema = schemathesis.openapi.from_dict(found)
            yield Asking(hub.url, schema, {NOBODY: {}, **callers}, session)
        finally:
            runner.run(hub.client.aclose())
            hub.kill()


def cases(operation: Any) -> st.SearchStrategy[Request]:
    """Requests that fit the document, and such that do not; half of them name what there is."""
    fit = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    unfit = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    has_parts = any(True for _ in operation.iter_parameters()) or operation.body
    return st.one_of(fit, fit, unfit) if has_parts else fit


def made_real(case: Request, parts: frozenset[str]) -> Request:
    for place in (case.path_parameters, case.query):
        for name in parts & set(place or ()):
            place[name] = REAL[name]
    return case


def test_every_route_is_asked(asking: Asking) -> None:
    found = [item.ok() for item in asking.schema.get_all_operations()]
    assert sorted(f"{item.method.upper()} {item.path}" for item in found) == ROUTES


@pytest.mark.parametrize("promise", ["404", "422"])
def test_a_promise_that_is_not_kept_is_found(asking: Asking, promise: str) -> None:
    schema = copy.deepcopy(asking.schema.raw_schema)
    del schema["paths"]["/api/v1/rooms/{room}/history"]["get"]["responses"][promise]
    operation = schemathesis.openapi.from_dict(schema)["/api/v1/rooms/{room}/history"]["GET"]
    room = "attic" if promise == "404" else "gym"
    case = operation.Case(
        path_parameters={"room": room}, query={"limit": "x"} if room == "gym" else {}
    )
    response = asking.send(case, asking.callers[Role.STAFF.value])
    assert response.status_code == int(promise)
    with pytest.raises(FailureGroup):
        case.validate_response(response, checks=CHECKS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("route", ROUTES)
def test_answers_are_those_that_the_document_promises(asking: Asking, route: str) -> None:
    method, path = route.split()
    operation = asking.schema[path][method]
    asked = dict.fromkeys(asking.callers, 0)
    passed = set()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=cases(operation),
        parts=st.sampled_from([frozenset(REAL), frozenset()]),
        noise=NOISE,
        number=st.integers(0, 1 << 40),
    )
    def ask(case: Request, parts: frozenset[str], noise: Headers, number: int) -> None:
        made_real(case, parts)
        case.query = {**(case.query or {}), "unheard-of": str(number)}
        seen: set[tuple[int, bytes]] = set()
        for caller, headers in asking.callers.items():
            response = asking.send(case, {**noise, **headers})
            asked[caller] += 1
            if response.status_code not in (401, 403):
                passed.add(caller)
            if (said := (response.status_code, response.content)) not in seen:
                seen.add(said)  # the same refusal need not be checked for everybody
                case.validate_response(response, checks=CHECKS)

    ask()
    permission = RULES[method, path]
    may = {role.value for role, found in PERMISSIONS.items() if permission in found}
    everybody = permission is Permission.PUBLIC
    assert passed == (set(asking.callers) if everybody else may), "the guard lets these pass"
    assert min(asked.values()) >= EXAMPLES, asked
