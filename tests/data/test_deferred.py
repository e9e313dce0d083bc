from dataclasses import dataclass, replace
from typing import Any

from recsys.data.deferred import Deferred, defer_fields, stored


@dataclass(frozen=True, slots=True)
class Table:
    column: Any
    other: Any = None


defer_fields(Table, ("column",))


class Counted(Deferred):
    def __init__(self) -> None:
        self.times = 0

    def resolve(self) -> list[int]:
        self.times += 1
        return [1, 2]

    def __len__(self) -> int:
        return 2


def test_a_deferred_column_is_made_when_it_is_read() -> None:
    counted = Counted()
    table = Table(counted, other=counted)
    assert counted.times == 0
    assert table.column == [1, 2]
    assert table.column == [1, 2]
    assert counted.times == 2
    assert table.other is counted  # a field that was not named


def test_what_is_stored_is_not_made() -> None:
    counted = Counted()
    assert stored(Table(counted), "column") is counted
    assert counted.times == 0


def test_plain_values_and_copies_work_as_in_any_data_class() -> None:
    assert Table([3]).column == [3]
    assert Table(None).column is None
    assert replace(Table(Counted()), other=7) == Table([1, 2], 7)
