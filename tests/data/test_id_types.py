from types import SimpleNamespace
from typing import Any

import pytest

from recsys.data.id_types import IdTypes, noted_id_types


@pytest.mark.parametrize(
    ("fingerprint", "expected"),
    [
        ({"reader": {"id_types": {"user": "int64", "item": "str"}}}, IdTypes("int64", "str")),
        ({"reader": {"class": "of files"}}, IdTypes()),
        ({"reader": "of an older time"}, IdTypes()),
        ({}, IdTypes("str", "str")),
    ],
)
def test_what_was_noted_else_text(fingerprint: Any, expected: IdTypes):
    schema: Any = SimpleNamespace(fingerprint=fingerprint)
    assert noted_id_types(schema) == expected
