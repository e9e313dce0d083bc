import json

import pandas as pd
import pytest

import recsys
from recsys.api.report import Report
from recsys.errors import EvaluationError, RecsysError, SplitError
from tests.api import board
from tests.scripts.running import Scripts


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        (lambda: recsys.EASE(l2=300), ["model=ease", "model.l2=300"]),
        (lambda: recsys.MF(epochs=2, seed=7), ["model=mf", "trainer.max_epochs=2", "seed=7"]),
    ],
    ids=["fitted at once", "by gradient steps"],
)
def test_the_numbers_are_those_of_the_command_digit_for_digit(model, arguments, split, tmp_path, monkeypatch, capsys):
    report = recsys.evaluate(model().fit(split.train), split)
    board.interactions().to_csv(tmp_path / "interactions.csv", index=False)
    board.items().to_csv(tmp_path / "items.csv", index=False)
    tables = ["data=table", "data.interactions=interactions.csv", "data.items=items.csv", "split=leave_last_out"]
    settings = ["tracking=none", "trainer.accelerator=cpu", "show_users=0"]
    finished = Scripts(tmp_path, monkeypatch, capsys)("train", *tables, *settings, *arguments)
    assert finished.status == 0, finished.err
    assert report.metrics == json.loads((finished.run / "metrics.json").read_text(encoding="utf-8"))


def test_beside_what_is_popular(model, split):
    report = recsys.evaluate(model, split, bootstrap_samples=0)
    assert isinstance(report, Report) and report.models == ["Popularity", "EASE"]
    assert report["ndcg@10"] == 1.0 or report["ndcg@10"] > report.evaluation.metrics("Popularity")["test/ndcg@10"]
    assert recsys.evaluate(model, split, baseline=False, bootstrap_samples=0).models == ["EASE"]


def test_of_the_split_that_the_model_was_fitted_on_unless_said(model, split):
    assert (
        recsys.evaluate(model, bootstrap_samples=0).metrics
        == recsys.evaluate(model, split.test, bootstrap_samples=0).metrics
    )


def test_what_is_known_may_come_again(model, split):
    settings = {"bootstrap_samples": 0, "ks": [1]}
    new = recsys.evaluate(model, split, **settings)
    again = recsys.evaluate(model, split, exclude_seen=False, **settings)
    assert again["recall@1"] < new["recall@1"]  # known items take the places of those that are to be found
    keeping = recsys.EASE(l2=1.0, exclude_seen=False).fit(split.train)
    assert recsys.evaluate(keeping, split, **settings).metrics == again.metrics


def test_of_the_validation_part(model, split):
    report = recsys.evaluate(model, split.valid, bootstrap_samples=0, ks=[3])
    assert set(report.metrics) >= {"valid/ndcg@3", "valid/recall@3"}
    assert report.metrics == recsys.evaluate(model, split, stage="valid", bootstrap_samples=0, ks=[3]).metrics


def test_a_model_that_has_learnt_what_is_held_out_is_not_judged(data, split):
    everything = recsys.EASE(l2=1.0).fit(data)
    with pytest.raises(EvaluationError, match="has learnt from 30 of the 30 interactions that the test part holds out"):
        recsys.evaluate(everything, split)
    both = recsys.EASE(l2=1.0).fit(split.train_with_valid)
    assert recsys.evaluate(both, split, bootstrap_samples=0)["recall@10"] > 0
    with pytest.raises(SplitError, match="valid part of the split is empty"):
        recsys.evaluate(both, split.valid)


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda model, split: recsys.evaluate(split, model), EvaluationError, "but a DataSplit came"),
        (lambda model, split: recsys.evaluate(model, split.train), EvaluationError, "but split.train came"),
        (lambda model, split: recsys.evaluate(model, split, ks=[0]), RecsysError, "ks"),
        (lambda model, split: recsys.evaluate(model, split, k=[10]), RecsysError, "evaluation has no setting 'k'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(model, split, ask, error, message):
    with pytest.raises(error, match=message):
        ask(model, split)


def test_other_data_are_refused(model):
    other = recsys.Dataset.from_pandas(board.interactions().iloc[10:], name="other").split("leave_last_out")
    with pytest.raises(EvaluationError, match="fitted on 'board', but the split is of other data"):
        recsys.evaluate(model, other)


def purchases() -> pd.DataFrame:
    """Everybody buys items of their half of the catalogue on five days, the first of them again on the last day."""
    days = [(user, user % 2 * 5 + (user + day % 4) % 5, day) for user in range(20) for day in range(5)]
    rows = pd.DataFrame(days, columns=["customer", "sku", "day"])
    return rows.assign(quantity=1 + rows["day"] % 2, bought_at=pd.to_datetime(rows["day"] + 19_700, unit="D"))


@pytest.fixture(scope="module")
def sales():
    columns = {"user": "customer", "item": "sku", "timestamp": "bought_at", "weight": "quantity"}
    return recsys.Dataset.from_pandas(purchases(), columns=columns, name="sales", repeats="keep")


def test_buying_again_is_measured_where_it_is_asked_for(sales):
    split = sales.split("temporal", test_ratio=0.2, valid_ratio=0)
    assert set(split.train.to_pandas()["weight"]) == {1.0, 2.0}
    model = recsys.EASE(l2=1.0).fit(split.train)
    # All that is held out was bought before: nothing new is to be found, all of it again.
    with pytest.raises(EvaluationError, match="was known before: .*set repeats='keep'"):
        recsys.evaluate(model, split, bootstrap_samples=0)
    again = recsys.evaluate(model, split, bootstrap_samples=0, repeats="keep", exclude_seen=False)
    assert again.metrics["test/known_share"] == 1.0
    assert again.metrics["test/target=repeated/recall@10"] == 1.0
    assert recsys.evaluate(model, split, bootstrap_samples=0, repeats="keep")["recall@10"] == 0.0
