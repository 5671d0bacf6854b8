"""The OpenAPI document is valid, tells the truth about what serves, and made-up requests find nothing but problems."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from proxy.admin.openapi import describe
from proxy.admin.problems import TYPES
from proxy.admin.routes import ROUTES
from tests.support.admin_port import running_port

DESCRIBED = describe()
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance)
schema = schemathesis.openapi.from_dict(DESCRIBED)


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DESCRIBED).validate()
    assert DESCRIBED["openapi"] == "3.1.0"


def test_it_describes_each_route_once() -> None:
    described = {(method.upper(), path) for path, of in DESCRIBED["paths"].items() for method in of}
    assert described == {(route.method, route.path) for route in ROUTES} and len(described) == len(ROUTES)
    ids = [operation["operationId"] for of in DESCRIBED["paths"].values() for operation in of.values()]
    assert len(ids) == len(set(ids))


def test_every_problem_that_it_names_exists() -> None:
    for of in DESCRIBED["paths"].values():
        for operation in of.values():
            for status, said in operation["responses"].items():
                if not status.startswith("2"):
                    assert all(TYPES[code].status == int(status) for code in said["description"].split(", "))


def test_a_body_where_none_is_taken_is_described_too() -> None:
    """It is measured and looked at before it is refused; found by made-up requests."""
    described = DESCRIBED["paths"]["/v1/keys"]["get"]["responses"]
    assert {"400", "413", "415"} <= set(described)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """The port on a loop of its own, since made-up requests are sent by a library that blocks: address and token."""
    loop, started, told = asyncio.new_event_loop(), threading.Event(), {}
    stop = asyncio.Event()

    async def serve() -> None:
        async with running_port() as port:
            told["url"] = f"http://127.0.0.1:{port.server.port}"
            told["token"] = await port.token("kirill")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(20)
    yield told["url"], told["token"]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


OPERATIONS = [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_made_up_requests_get_what_the_document_says(operation: Any, served: tuple[str, str]) -> None:
    url, token = served

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def try_it(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    try_it()
