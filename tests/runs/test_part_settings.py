import pytest
from omegaconf import OmegaConf

from recsys.errors import ModelError
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.runs.part_settings import source_settings, tower_settings

RUN = {
    "training": {"batch_size": 64, "optimizer": {"lr": 0.1}},
    "trainer": {"max_epochs": 5},
    "fitting": {"patience": 3},
    "pretraining": None,
    "sources_training": {},
}


class Ranker:
    def source_models(self):
        return {"ease": None, "mf": None}


def run(**changes):
    return OmegaConf.create({**RUN, **changes})


def test_a_source_is_fitted_with_what_the_run_says_and_what_differs():
    config = run(
        sources_training={"mf": {"training": {"batch_size": 8}, "trainer": {"max_epochs": 9}}},
        pretraining={"gmf": {}},
    )
    mf, ease = (source_settings(config, Ranker(), name) for name in ("mf", "ease"))
    assert mf.training == {"batch_size": 8}  # a training of its own: nothing of the run's is left in it
    assert (mf.trainer.max_epochs, mf.fitting.patience) == (9, 3)
    assert ease.training == RUN["training"]
    assert mf.pretraining is None and mf.sources_training == {}
    assert config.trainer.max_epochs == 5


def test_a_source_or_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(ModelError, match=r"must name sources of the model \(ease, mf\), but it has slim"):
        source_settings(run(sources_training={"slim": {}}), Ranker(), "mf")
    with pytest.raises(ModelError, match=r"sources_training\.mf may have training, .*, but it has seed"):
        source_settings(run(sources_training={"mf": {"seed": 1}}), Ranker(), "mf")


def test_a_tower_is_trained_with_what_the_run_says_and_what_differs():
    config = run(pretraining={"gmf": {"training": {"optimizer": {"lr": 0.5}}}, "mlp": {}})
    towers = tower_settings(config, NeuMF(4, 5))
    assert towers["gmf"].training == {"batch_size": 64, "optimizer": {"lr": 0.5}}
    assert towers["mlp"].training == RUN["training"]
    assert config.training.optimizer.lr == 0.1


@pytest.mark.parametrize(
    ("pretraining", "message"),
    [
        ({"gmf": {}}, r"settings for each tower \(gmf, mlp\), but it has gmf"),
        ({"gmf": {"seed": 1}, "mlp": {}}, "gmf may change training and trainer, but it has seed"),
        ({"gmf": {"trainer": {"max_epoch": 1}}, "mlp": {}}, "pretraining.gmf has a key that the run does not know"),
    ],
)
def test_settings_of_towers_that_do_not_exist_are_refused(pretraining, message):
    with pytest.raises(ModelError, match=message):
        tower_settings(run(pretraining=pretraining), NeuMF(4, 5))


def test_a_model_without_towers_cannot_be_pretrained():
    with pytest.raises(ModelError, match="made of towers, but MF has none"):
        tower_settings(run(pretraining={"gmf": {}}), MF(4, 5))
