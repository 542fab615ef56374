"""JSON Schemas of our documents, as they stand in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

Schema = Mapping[str, Any]

REFERENCE = "#/components/schemas/{name}"
_PREFIX = REFERENCE.format(name="")


def reference(document: Any) -> Schema:
    """What stands for a document where it is named."""
    (schema,), _ = msgspec.json.schema_components([document], ref_template=REFERENCE)
    return schema


def resolved(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    """The shape itself where only its name is given."""
    named = schema.get("$ref")
    return schema if named is None else components[named.removeprefix(_PREFIX)]
