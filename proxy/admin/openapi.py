"""The OpenAPI 3.1 document of the admin port, made of the table that serves it."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .models import ProblemModel
from .problems import MEDIA_TYPE, TYPES
from .routes import ROUTES, Route

_REFERENCE = "#/components/schemas/{model}"
_ALWAYS = ("invalid-request", "unauthenticated", "forbidden", "too-many-failures", "body-too-large", "media-type",
           "audit-unavailable", "store-unavailable", "issuer-unavailable", "internal")  # fmt: skip
_WITH_BODY = ("idempotency-key-required", "idempotency-key-reused")
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each request; the same request again with the same key is answered and not done again.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,128}$"},
}


@cache
def document() -> str:
    return json.dumps(describe(), indent=1)


def describe() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fieldgate administration",
            "version": version("fieldgate"),
            "description": "Keys of sealed fields and the operations over them.  docs/admin.md is the guide.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"certificate": []}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A Fieldgate token, or the issuer's JWT.",
                },
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "parameters": [*_parameters(route.path_model, "path"), *_parameters(route.query, "query")],
        "responses": _responses(route),
    }
    if route.method == "POST":
        made["parameters"].append(_KEY_HEADER)
    if route.body is not None:
        made["requestBody"] = {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": {"application/json": {"schema": _reference(route.body, "Input")}},
        }
    return made


def _operation_id(route: Route) -> str:
    words = [word for word in route.path.removeprefix("/v1/").replace("-", "/").split("/") if "{" not in word]
    one = route.path.endswith("}")
    return "_".join([route.method.lower(), *words, *(["one"] if one else [])])


def _parameters(model: type[BaseModel], where: str) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REFERENCE)
    return [
        {"name": name, "in": where, "required": where == "path", "schema": found}
        for name, found in schema.get("properties", {}).items()
    ]


def _responses(route: Route) -> dict[str, Any]:
    answer = {"application/json": {"schema": _reference(route.answer, "Output")}}
    said = {str(route.status): {"description": "Done" if route.status == 200 else "Asked for", "content": answer}}
    codes: dict[int, list[str]] = {}
    for code in dict.fromkeys((*_ALWAYS, *(_WITH_BODY if route.method == "POST" else ()), *route.problems)):
        codes.setdefault(TYPES[code].status, []).append(code)
    for status, names in sorted(codes.items()):
        content = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemModel")}}}
        said[str(status)] = {"description": ", ".join(names), "content": content}
    return said


def _models() -> list[tuple[type[BaseModel], Any]]:
    found: dict[tuple[type[BaseModel], str], None] = {(ProblemModel, "serialization"): None}
    for route in ROUTES:
        found[route.answer, "serialization"] = None
        if route.body is not None:
            found[route.body, "validation"] = None
        for model in (route.path_model, route.query):
            found[model, "validation"] = None
    return list(found)


@cache
def _generated() -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    references, definitions = models_json_schema(_models(), ref_template=_REFERENCE)
    return references, definitions.get("$defs", {})


def _schemas() -> dict[str, Any]:
    return _generated()[1]


def _reference(model: type[BaseModel], way: str) -> dict[str, Any]:
    mode = "validation" if way == "Input" else "serialization"
    return _generated()[0][model, mode]
