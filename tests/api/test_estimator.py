import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

import recsys
from recsys.errors import ModelError, RecsysError, SettingsError


class TestSettings:
    def test_are_those_of_the_configuration(self):
        params = recsys.EASE(l2=300).get_params()
        assert params["l2"] == 300 and params["num_neighbours"] is None
        assert params["recency__step_decay"] == 1.0 and params["seed"] == 42

    def test_inside_others_are_only_listed_deep(self):
        assert "recency__step_decay" not in recsys.EASE().get_params(deep=False)
        assert recsys.EASE(recency__step_decay=0.5).get_params(deep=False)["recency__step_decay"] == 0.5

    @pytest.mark.parametrize(
        "make",
        [
            lambda: recsys.TwoTower(item_columns=["genres"], encoder="mean", epochs=2),
            lambda: recsys.EASE(l2=30.0, recency__step_decay=0.9),
            lambda: recsys.SVDpp(),
        ],
    )
    def test_make_the_same_model_again(self, make):
        """What scikit-learn's ``clone`` asks: the same objects, given to the constructor again."""
        first = make()
        given = first.get_params(deep=False)
        again = type(first)(**given).get_params(deep=False)
        assert list(again) == list(given) and all(again[name] is value for name, value in given.items())

    def test_can_be_changed(self):
        model = recsys.EASE()
        assert model.set_params(l2=7.0, recency__day_decay=0.9) is model
        assert repr(model) == "EASE(l2=7.0, recency__day_decay=0.9)"

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: recsys.EASE(l3=1), r"EASE has no setting 'l3'; it has l2, num_neighbours, .*overrides="),
            (
                lambda: recsys.EASE(epochs=3),
                "EASE is fitted at once, without gradient steps, so it has no setting 'epo",
            ),
            (lambda: recsys.TwoTower(encoder="mien"), "model/encoder must be one of .*Did you mean 'mean'"),
            (lambda: recsys.MF().set_params(embeding_dim=3), "Did you mean embedding_dim"),
        ],
    )
    def test_that_do_not_exist_are_refused_at_once(self, make, message):
        with pytest.raises(SettingsError, match=message):
            make()

    def test_a_setting_of_the_model_goes_before_that_of_the_training(self):
        assert recsys.SVDpp(epochs=3).get_params()["epochs"] == 3


class TestFitting:
    def test_reaches_the_model(self, split):
        model = recsys.EASE(l2=7, recency__step_decay=0.5).fit(split.train)
        assert model.network.l2 == 7 and model.network.recency.step_decay == 0.5

    def test_of_gradient_steps_takes_the_settings_of_the_training(self, split):
        model = recsys.MF(
            embedding_dim=4,
            epochs=2,
            batch_size=64,
            learning_rate=0.01,
            seed=3,
            training="full_catalogue",
            overrides={"training/catalogue_loss": "squared", "training.l2": 0.5},
        ).fit(split.train)
        config = model.fitted.config
        assert (config.trainer.max_epochs, config.training.batch_size, config.training.optimizer.lr) == (2, 64, 0.01)
        assert config.training.l2 == 0.5 and config.seed == 3
        assert "squared" in config.training.catalogue_loss["_target_"].lower()
        assert len(model.fitted.report.epochs) == 2

    def test_of_all_data_leaves_nothing_out(self, data):
        fitted = recsys.EASE().fit(data).fitted
        assert len(fitted.learnt) == 300 and len(fitted.rows.test) == 0

    def test_leaves_random_numbers_of_the_process_as_they_were(self, split):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        recsys.MF(epochs=1, embedding_dim=4).fit(split.train)
        assert torch.equal(torch.rand(3), expected)

    def test_is_the_same_with_the_same_seed(self, split):
        first, second = (recsys.MF(epochs=1, embedding_dim=4).fit(split.train) for _ in range(2))
        assert first.identity() == second.identity()
        assert first.identity() != recsys.MF(epochs=1, embedding_dim=4, seed=1).fit(split.train).identity()

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"l2": -1}, "l2 must be above 0"),
            ({"l2": "much"}, "model.l2 must be a number"),
            ({"max_items": 5}, "20"),
            ({"overrides": {"trainer.epochs": 1}}, "trainer has no setting 'epochs'"),
        ],
    )
    def test_of_settings_that_cannot_be_is_refused(self, split, settings, message):
        with pytest.raises(RecsysError, match=message):
            recsys.EASE(**settings).fit(split.train)

    def test_of_a_model_of_ratings_needs_ratings(self, data):
        with pytest.raises(RecsysError, match="predicts ratings, but board has none"):
            recsys.BiasedMF().fit(data)

    def test_of_ratings(self, data):
        table = data.interactions.assign(rating=np.resize([1.0, 2.0, 5.0], 300))
        rated = recsys.Dataset.from_pandas(table, positive_threshold=3)
        model = recsys.Bias().fit(rated.split("random_ratio").train)
        assert model.fitted.view.kind == "explicit"


@pytest.mark.parametrize("name", ["MF", "PureSVD", "Content", "Bias", "UserKNN"])
def test_models_of_each_kind_recommend(name, data):
    table = data.interactions.assign(rating=np.resize([3.0, 4.0, 5.0], 300))
    rated = recsys.Dataset.from_pandas(table, items=data.items)
    quick = {"epochs": 1} if name == "MF" else {}
    lists = getattr(recsys, name)(**quick).fit(rated).recommend([100, 101], k=2)
    assert lists["user_id"].tolist() == [100, 100, 101, 101]


def test_a_model_that_is_not_fitted_says_so():
    for ask in (lambda model: model.recommend([1]), lambda model: model.network, lambda model: model.save("x")):
        with pytest.raises(ModelError, match=r"EASE has to be fitted before it is asked. Fit it: model.fit\(data\)"):
            ask(recsys.EASE())
    assert not recsys.EASE().is_fitted


def test_travels_to_another_process(model):
    model.recommend([100])
    other = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(other.recommend([100, 101], k=3), model.recommend([100, 101], k=3))


def test_a_copy_shares_what_was_fitted(model):
    other = copy.deepcopy(model)
    other.set_params(l2=9.0)
    assert other.network is model.network and model.get_params()["l2"] == 1.0
