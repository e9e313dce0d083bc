import pytest
from on_gpu.closed_forms import ials_operations
from on_gpu.measurement import Ceilings, Measurement
from on_gpu.report import page
from on_gpu.sampled_training import mf_operations, neumf_operations

CEILINGS = Ceilings(100.0, {"float32": 10.0, "bfloat16": 40.0})


def test_the_floor_is_the_larger_of_bytes_over_bandwidth_and_operations_over_rate():
    by_memory = Measurement("a/b", 8.0, floor_bytes=200, floor_operations=10).record(CEILINGS)
    assert (by_memory["floor_seconds"], by_memory["floor_of"], by_memory["floor_share"]) == (2.0, "bytes", 0.25)
    by_arithmetic = Measurement("a/b", 8.0, 200, 160, "bfloat16").record(CEILINGS)
    assert (by_arithmetic["floor_seconds"], by_arithmetic["floor_of"]) == (4.0, "operations")


def test_operations_of_a_step_of_mf():
    # A product of two vectors of 3: three multiplications, three additions; forward, and twice backward.
    assert mf_operations(3, samples=5, rows=7) == 5 * 6 * 3


def test_operations_of_a_step_of_neumf():
    # A sample: 3 * 2 for the product with weights, 2 * 4 * 3 for the second layer, 2 * 3 for the output: 36. A row:
    # 2 * 5 * 4 for its part of the first layer.
    assert neumf_operations(2, 5, (4, 3), samples=10, rows=6) == 3 * (10 * 36 + 6 * 40)


def test_operations_of_an_iteration_of_ials():
    # Both sides: 4 * 3 for each of 10 pairs; two turns of 2 * 9 for each of 7 rows.
    assert ials_operations(pairs=10, rows=7, factors=3) == 2 * 10 * 12 + 2 * 7 * 18


@pytest.mark.parametrize("tiny", [True, False])
def test_the_page_has_times_floors_rates_and_what_failed(tiny):
    record = Measurement("a/b", 8.0, 200, 10, details={"samples_per_second": 1234.0, "samples": 3}).record(CEILINGS)
    text = page([record, {"name": "c", "error": "no memory"}], CEILINGS, "a machine", tiny)
    assert "| `a/b` | 8,000.000 | 2,000.000 | bytes | 25.0% | 1,234 samples a second |" in text
    assert "- `c`: no memory" in text
    assert ("Sizes are tiny" in text) == tiny
