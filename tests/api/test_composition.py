import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from recsys.api.composition import choices_of, composed, is_group, plain, require_choice
from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.errors import RecsysError, SettingsError

NAMED = {"name": "composed"}


def test_is_what_the_command_line_composes():
    config = composed("train", {"model": "ease", "split": "leave_last_out", **NAMED}, {"model.l2": 300.0})
    typed = compose_config("train", ["model=ease", "split=leave_last_out", "name=composed", "model.l2=300.0"])
    for part in ("model", "training", "trainer", "fitting", "evaluation", "split", "seed"):
        assert config[part] == typed[part], part


def test_a_value_whose_key_is_a_group_is_a_choice():
    config = composed("train", {"model": "mf", **NAMED}, {"training/loss": "logistic"})
    assert "logistic" in config.training.loss["_target_"].lower()


def test_values_keep_signs_that_mean_something_to_hydra(tmp_path):
    path = str(tmp_path / "a,b={c}.csv")
    assert composed("prepare", {"data": "table"}, {"data.interactions": path}).data.interactions == path


@pytest.mark.parametrize(
    ("choices", "values", "message"),
    [
        ({"model": "ese"}, {}, "ese"),
        ({"model": "ease"}, {"model.l3": 1}, "model has no setting 'l3'; it has l2"),
        ({"model": "ease"}, {"model.l2": "much"}, "model.l2 must be a number, but it is much"),
        ({"model": "ease"}, {"nothing.there": 1}, "nothing has no setting 'there'"),
    ],
)
def test_what_does_not_exist_is_refused(choices, values, message):
    with pytest.raises(RecsysError, match=message):
        composed("train", {**NAMED, **choices}, values)


def test_inside_a_program_that_uses_hydra_itself(tmp_path):
    (tmp_path / "theirs.yaml").write_text("own: 1\n", encoding="utf-8")
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        assert composed("train", {"model": "ease", **NAMED}, {}).model.l2 == 500
        assert compose("theirs").own == 1


def test_groups_and_their_choices():
    assert is_group("training/loss") and not is_group("model.l2")
    assert "leave_last_out" in choices_of("split")
    require_choice("split", "temporal")
    with pytest.raises(SettingsError, match="split must be one of .*but it is 'leave_last'. Did you mean 'leave_last"):
        require_choice("split", "leave_last")


def test_plain_values():
    assert plain({"a": (np.int64(1), np.float32(0.5)), 2: CONFIG_DIRECTORY}) == {
        "a": [1, 0.5],
        "2": str(CONFIG_DIRECTORY),
    }
