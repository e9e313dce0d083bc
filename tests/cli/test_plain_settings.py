import pytest
from omegaconf import OmegaConf

from recsys.cli.plain_settings import PLAIN_SETTINGS
from tests.cli.test_config_check import COMMANDS, composed

#: Commands that read most of their settings as they were typed.
REQUESTS = ("recommend", "similar", "query_triton")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in REQUESTS])
def test_every_setting_of_a_command_is_declared_or_has_a_constructor(command):
    declared = PLAIN_SETTINGS[command]
    for name, value in composed(command).items():
        if OmegaConf.is_dict(value):
            known = "_target_" in value or name in declared or name == "training"
            assert known or all(f"{name}.{key}" in declared for key in value), name
        else:
            assert name in declared, name


@pytest.mark.parametrize("command", sorted(set(PLAIN_SETTINGS) - set(REQUESTS)))
def test_what_is_declared_is_a_setting_of_the_command(command):
    names = {name.partition(".")[0] for name in PLAIN_SETTINGS[command]}
    assert names <= {*composed(command), "tuned", "search"}
