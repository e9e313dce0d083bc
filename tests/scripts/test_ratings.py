"""Models of ratings and the two views of one data set, through the scripts."""

import json

import numpy as np
import pytest

PLAIN = ["tracking=none", "trainer.accelerator=cpu"]
SMALL_MF = ["trainer.max_epochs=2", "training.batch_size=64", "model.embedding_dim=8", "training.optimizer.lr=0.02"]


@pytest.fixture
def rated(tmp_path):
    """Arguments that name a table of ratings: users like the items whose parity is theirs."""
    random = np.random.default_rng(0)
    users, items = np.nonzero(random.random((30, 20)) < 0.7)
    ratings = np.where((users + items) % 2 == 0, random.integers(4, 6, len(users)), random.integers(1, 3, len(users)))
    rows = ["user_id,item_id,rating"]
    rows += [f"u{user:02},{item:02},{rating}" for user, item, rating in zip(users, items, ratings, strict=True)]
    (tmp_path / "ratings.csv").write_text("\n".join(rows), encoding="utf-8")
    return ["data=table", "data.interactions=ratings.csv", "preparation.positive_threshold=4"]


def metrics_of(scripts, finished):
    assert finished.status == 0, finished.err
    return json.loads((scripts.directory / finished.run / "metrics.json").read_text())


@pytest.mark.parametrize("model", ["bias", "biased_mf", "svd_pp", "item_knn_ratings"])
def test_a_model_of_ratings_is_judged_by_its_errors_and_its_ranking(scripts, rated, model):
    finished = scripts("train", *rated, *PLAIN, f"model={model}")
    metrics = metrics_of(scripts, finished)
    assert metrics["test/rmse_low"] <= metrics["test/rmse"] <= metrics["test/rmse_high"]
    assert metrics["test/mae"] <= metrics["test/rmse"]
    assert "test/ndcg@10" in metrics
    assert "explicit view" in finished.out
    assert "Predicted ratings, test" in finished.out


def test_both_kinds_of_models_are_ranked_on_the_same_task(scripts, rated):
    arguments = [*rated, *PLAIN, "view=explicit"]
    rating = metrics_of(scripts, scripts("train", *arguments, "model=biased_mf"))
    implicit = scripts("train", *arguments, *SMALL_MF, "model=mf")
    likes = metrics_of(scripts, implicit)
    assert "test/rmse" not in likes
    manifests = [json.loads(path.read_text()) for path in (scripts.directory / "runs").glob("*/run.json")]
    assert [manifest["view"] for manifest in manifests] == ["explicit", "explicit"]
    assert manifests[0]["split_hash"] == manifests[1]["split_hash"]
    # The catalogue has 20 items, so lists of 50 hold all of it: recall is 1 where both have the same items to find.
    assert [metrics["test/recall@50"] for metrics in (rating, likes)] == [1.0, 1.0]
    assert rating["test/precision@50"] == likes["test/precision@50"]


def test_evaluate_gives_the_numbers_of_training(scripts, rated):
    finished = scripts("train", *rated, *PLAIN, "model=svd_pp")
    metrics = metrics_of(scripts, finished)
    again = scripts("evaluate", f"run={finished.run}", "output=again.json")
    assert again.status == 0, again.err
    own = {name: value for name, value in metrics.items() if not name.startswith("baseline/")}
    assert json.loads((scripts.directory / "again.json").read_text()) == own


def test_an_implicit_view_has_no_rating_errors(scripts, rated):
    metrics = metrics_of(scripts, scripts("train", *rated, *PLAIN, "model=biased_mf", "view=implicit"))
    assert "test/rmse" not in metrics


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=biased_mf"], "BiasedMF predicts ratings, but"),
        (["view=explicit"], "The explicit view needs ratings"),
        (["view=both"], "view must be implicit, explicit or null, but it is both"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_data_without_ratings_are_refused_before_anything_is_trained(scripts, board, arguments, message):
    finished = scripts("train", *board, *PLAIN, *arguments)
    assert finished.status == 2
    assert message in finished.err
    assert not (scripts.directory / "runs").exists()
