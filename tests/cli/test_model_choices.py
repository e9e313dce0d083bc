import subprocess
import sys

from omegaconf import OmegaConf

from recsys.cli.config_directory import CONFIG_DIRECTORY
from recsys.cli.model_choices import model_choices


def test_there_is_one_for_each_file():
    files = {path.stem: OmegaConf.load(path)._target_ for path in (CONFIG_DIRECTORY / "model").glob("*.yaml")}
    assert {choice.name: choice.target for choice in model_choices().values()} == files
    assert model_choices()["EASE"].name == "ease"


def test_settings_are_those_of_the_file_with_the_choices_of_groups():
    two_tower = model_choices()["TwoTower"]
    assert two_tower.settings["encoder"] == "transformer" and two_tower.groups == {"encoder"}
    assert two_tower.settings["embedding_dim"] == 64
    assert not any(name.startswith("_") or name == "defaults" for name in two_tower.settings)


def test_what_is_inside_a_setting_has_no_target():
    assert model_choices()["EASE"].own["recency"] == {"step_decay": 1.0, "day_decay": 1.0}


def test_what_is_the_run_s_is_not_the_model_s_own():
    ials = model_choices()["IALS"]
    assert "seed" in ials.settings and "seed" not in ials.own


def test_no_model_is_imported():
    code = "import sys; from recsys.cli.model_choices import model_choices as m; m(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
