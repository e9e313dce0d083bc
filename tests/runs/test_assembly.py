from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config
from recsys.errors import DataError, DataWarning, RunError
from recsys.models.bias import Bias
from recsys.models.popularity import Popularity
from recsys.runs.assembly import build_baseline, build_data, build_model, build_split, build_view
from tests.models.board_data import prepared_board


def config(*overrides: str):
    return compose_config("train", ["name=board", *overrides])


def test_a_model_has_the_weights_of_its_seed():
    prepared = prepared_board()
    first, again, other = (build_model(config("model=mf").model, seed, prepared) for seed in (1, 1, 2))
    for name, weights in first.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])
    assert any(not torch.equal(weights, other.state_dict()[name]) for name, weights in first.state_dict().items())


def test_a_model_gets_the_features_of_the_items():
    prepared = prepared_board()
    model = build_model(config("model=content").model, 1, prepared)
    assert len(model.state_dict()) > 0


@pytest.mark.parametrize(
    ("asked", "model", "kind"),
    [
        (None, Popularity, "implicit"),
        (None, Bias, "explicit"),
        ("implicit", Bias, "implicit"),
        ("explicit", Popularity, "explicit"),
    ],
)
def test_the_view_is_what_is_asked_for_or_what_the_model_learns_from(asked, model, kind):
    prepared = prepared_board()
    built = model(num_users=prepared.schema.num_users, num_items=prepared.schema.num_items)
    assert build_view(OmegaConf.create({"view": asked}), prepared, built).kind == kind


def test_a_view_that_does_not_exist_is_refused():
    with pytest.raises(RunError, match="view must be implicit, explicit or null, but it is likes"):
        build_view(OmegaConf.create({"view": "likes"}), prepared_board(), Popularity(30, 20))


def test_refit_trains_on_validation_as_well():
    interactions = prepared_board().interactions
    settings = ["split=random_ratio", "split.valid_ratio=0.2"]
    apart, whole = (build_split(config(*settings, f"refit={refit}"), interactions) for refit in ("false", "true"))
    assert len(apart.valid) > 0 and len(whole.valid) == 0
    assert len(whole.train) == len(apart.train) + len(apart.valid)


def test_a_model_of_ratings_is_refused_where_there_are_none():
    prepared = SimpleNamespace(interactions=SimpleNamespace(rating=None), schema=SimpleNamespace(name="board"))
    with pytest.raises(DataError, match="Bias predicts ratings, but board has none"):
        build_view(OmegaConf.create({"view": None}), prepared, Bias(30, 20))


def data_config(directory, **further):
    (directory / "sales.csv").write_text("user_id,item_id\nu,x\nu ,y\n", encoding="utf-8")
    overrides = ["data=table", f"data.interactions={directory / 'sales.csv'}"]
    return OmegaConf.merge(config(*overrides, f"paths.prepared_dir={directory}"), further)


def test_data_that_are_prepared_now_are_reported_and_warned_of_each_time(tmp_path, capsys):
    settings = data_config(tmp_path)
    for times in (1, 0):
        with pytest.warns(DataWarning, match="2 users are 1 if white space"):
            prepared = build_data(settings)
        assert capsys.readouterr().out.count("columns of the interactions") == times
    assert prepared.schema.num_users == 2


def test_strict_makes_the_warnings_an_error(tmp_path):
    with pytest.raises(DataError, match="strict=true makes 1 warning about the data an error: 2 users are 1"):
        build_data(data_config(tmp_path, strict=True))


def test_a_configuration_of_an_earlier_version_is_not_strict(tmp_path):
    settings = data_config(tmp_path)
    del settings.strict
    with pytest.warns(DataWarning):
        build_data(settings)


def test_a_baseline_that_needs_a_training_of_its_own_is_refused():
    settings = config("baseline._target_=recsys.models.mf.MF", "+baseline.embedding_dim=4")
    with pytest.raises(RunError, match="baseline must be a model that is fitted at once"):
        build_baseline(settings, prepared_board())
