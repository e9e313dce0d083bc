from types import SimpleNamespace

import pytest

pytest.importorskip("numba")

import numba

from recsys.training.compiled_loops import compiled


def test_what_cannot_be_kept_on_the_disk_is_compiled_all_the_same(monkeypatch):
    whole = numba.njit

    def refusing(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return whole(**options)

    monkeypatch.setattr("recsys.training.compiled_loops.numba", SimpleNamespace(njit=refusing))
    assert compiled(lambda x: x + 1)(2) == 3


def test_sums_keep_their_order_unless_any_will_do():
    def total(numbers):
        result = 0.0
        for number in numbers:
            result += number
        return result

    assert "reassoc" not in compiled(total).targetoptions["fastmath"]
    assert "reassoc" in compiled(total, any_order=True).targetoptions["fastmath"]
