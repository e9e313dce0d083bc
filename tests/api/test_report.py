import pytest

import recsys
from recsys.errors import EvaluationError


@pytest.fixture(scope="module")
def report(model, split):
    return recsys.evaluate(model, split, bootstrap_samples=50)


def test_has_the_numbers_by_their_names(report):
    assert report["ndcg@10"] == report["test/ndcg@10"] == report.metrics["test/ndcg@10"]
    with pytest.raises(EvaluationError, match=r"no metric 'ndgc@10'. It has .*ndcg@10"):
        report["ndgc@10"]


def test_as_a_table(report):
    table = report.to_pandas()
    assert list(table.columns) == ["model", "metric", "value", "low", "high"]
    row = table[(table["model"] == "EASE") & (table["metric"] == "test/ndcg@10")].iloc[0]
    assert row["low"] <= row["value"] <= row["high"]
    assert row["value"] == report["ndcg@10"] and row["low"] == report.metrics["test/ndcg@10_low"]
    assert not table["metric"].str.endswith(("_low", "_high")).any()


def test_by_user(report, split):
    users = report.per_user()
    assert len(users) == 30
    assert users["ndcg@10"].mean() == pytest.approx(report["ndcg@10"])


def test_as_text(report):
    text = str(report)
    assert "| Popularity |" in text and "| EASE " in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert all(len(line) <= 100 for line in text.splitlines() if line.startswith("|"))
    assert repr(report) == text


def test_in_a_notebook(report):
    html = report._repr_html_()
    assert html.count("<th>test/ndcg@10</th>") == 1 and f"{report['ndcg@10']:.4f}" in html
