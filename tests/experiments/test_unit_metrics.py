import pandas as pd
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.metric import Metric
from recsys.experiments.unit_metrics import unit_metrics, variant_statistics
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics

UNITS = pd.DataFrame(
    {
        "variant": ["control", "b", "b", "b"],
        "exposures": [1, 2, 3, 4],
        "count:click": [0, 3, 0, 1],
        "value:buy": [0.0, 9.5, 1.0, 0.0],
        "count:buy": [0, 2, 1, 0],
    }
)
METRICS = [
    Metric("clickers", "click"),
    Metric("clicks", "click", kind="mean"),
    Metric("revenue", "buy", kind="mean", sum_values=True),
    Metric("ctr", "click", kind="ratio", denominator="exposures"),
    Metric("conversion", "buy", kind="ratio", denominator="click"),
]


def test_each_kind_has_its_numbers():
    found = unit_metrics(UNITS, METRICS)
    assert found["clickers"].tolist() == [0, 1, 0, 1]
    assert found["clicks"].tolist() == [0, 3, 0, 1]
    assert found["revenue"].tolist() == [0, 9.5, 1, 0]
    assert found["ctr:denominator"].tolist() == [1, 2, 3, 4]
    assert found["conversion:denominator"].tolist() == [0, 3, 0, 1]


def test_moments_are_by_variant():
    found = variant_statistics(UNITS, METRICS)
    assert found["b"]["clicks"] == MeanStatistics.from_values([3, 0, 1])
    assert found["b"]["ctr"] == RatioStatistics.from_values([3, 0, 1], [2, 3, 4])
    assert found["control"]["clickers"].count == 1


def test_a_column_that_is_missing_is_named():
    with pytest.raises(ExperimentError, match="metric 'seen' needs the column 'count:view' of the units; there are"):
        unit_metrics(UNITS, [Metric("seen", "view")])
    with pytest.raises(ExperimentError, match="the variant needs the column 'variant'"):
        unit_metrics(UNITS.drop(columns="variant"), METRICS)
