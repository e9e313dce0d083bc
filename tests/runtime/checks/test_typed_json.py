from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

import pytest

from recsys.runtime.checks.typed_json import from_json


class Kind(Enum):
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    separator: str | None = None


@dataclass(frozen=True)
class Table:
    rows: int
    share: float
    complete: bool
    range: tuple[float, float] | None
    columns: tuple[Column, ...]
    sizes: Mapping[str, Mapping[str, int]]
    choice: bool | Mapping[str, float] = True
    anything: Any = None
    more: Mapping[str, int] = field(default_factory=dict)


WRITTEN: dict[str, Any] = {
    "rows": 3,
    "share": 1,
    "complete": False,
    "range": [1, 5.5],
    "columns": [{"name": "year", "kind": "number"}, {"name": "tags", "kind": "text", "separator": "|"}],
    "sizes": {"a": {"b": 1}},
}


def test_a_data_class_is_read_with_all_that_is_in_it():
    table = from_json(Table, WRITTEN)
    assert table == Table(
        3, 1.0, False, (1.0, 5.5), (Column("year", Kind.NUMBER), Column("tags", Kind.TEXT, "|")), {"a": {"b": 1}}
    )
    assert type(table.share) is float


def test_what_is_written_again_is_read_again():
    table = from_json(Table, {**WRITTEN, "choice": {"after_days": 3}, "range": None})
    written = json.loads(json.dumps(asdict(table), default=lambda kind: kind.value))
    assert from_json(Table, written) == table and table.choice == {"after_days": 3.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": "3"}, "rows must be a whole number, but it is '3'"),
        ({"rows": 3.5}, "rows must be a whole number, but it is 3.5"),
        ({"rows": True}, "rows must be a whole number, but it is True"),
        ({"share": "much"}, "share must be a number"),
        ({"complete": 1}, "complete must be true or false"),
        ({"range": [1]}, "range must have 2 values, but it has 1"),
        ({"range": [1, None]}, r"range\[1\] must be a number"),
        ({"columns": {}}, "columns must be a list"),
        ({"columns": [{"name": "a", "kind": "colour"}]}, r"columns\[0\].kind must be number, text, but it is 'colour'"),
        ({"columns": [{"kind": "text"}]}, r"columns\[0\].name is missing"),
        ({"columns": [["a", "text"]]}, r"columns\[0\] must be an object"),
        ({"sizes": {"a": {"b": None}}}, "sizes.a.b must be a whole number"),
        ({"choice": "often"}, "choice must be true or false"),
        ({"colour": "red"}, "colour is not known"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(change, message):
    with pytest.raises(ValueError, match=message):
        from_json(Table, WRITTEN | change)


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_a_data_class_needs_an_object(content):
    with pytest.raises(ValueError, match="it must be an object"):
        from_json(Table, content)
