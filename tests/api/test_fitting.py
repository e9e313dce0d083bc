import pytest

import recsys
from recsys.runtime.recommendation import Recommender


def test_keeps_what_it_was_fitted_with(model, split, data):
    fitted = model.fitted
    assert fitted.prepared is data.prepared
    assert fitted.rows.content_hash() == split.rows("implicit").content_hash()
    assert fitted.learnt.tolist() == fitted.rows.train.tolist() and fitted.trained_on == "training"
    assert fitted.config.model.l2 == 1.0 and fitted.config.refit is False
    assert fitted.report.epochs == [] and fitted.seconds >= 0
    assert not fitted.network.training


def test_its_recommender_is_made_once(model):
    assert isinstance(model.fitted.recommender, Recommender)
    assert model.fitted.recommender is model.fitted.recommender
    assert "recommender" not in vars(model.fitted.without_recommender())


def test_a_failed_fit_leaves_the_model_as_it_was(split):
    model = recsys.EASE(l2=1.0).fit(split.train)
    before = model.fitted
    with pytest.raises(ValueError, match="l2"):
        model.set_params(l2=-1.0).fit(split.train)
    assert model.fitted is before


def test_a_model_with_epochs_chooses_them_before_it_learns_from_everything(split):
    whole = recsys.MF(embedding_dim=4, overrides={"trainer.max_epochs": 3}).fit(split.everything).fitted
    chosen = recsys.MF(embedding_dim=4, overrides={"trainer.max_epochs": 3}).fit(split.train).fitted
    assert len(whole.learnt) == 300 and whole.trained_on == "all interactions"
    assert whole.report.best_epoch == chosen.report.best_epoch and "chosen on validation" in whole.epochs_chosen
    assert whole.manifest(measured=False).holds_nothing_out


def test_epochs_that_are_given_are_made_on_everything(data):
    fitted = recsys.MF(embedding_dim=4, epochs=2).fit(data).fitted
    assert len(fitted.learnt) == 300 and fitted.report.best_epoch == 2
