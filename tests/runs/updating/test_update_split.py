from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli.config_directory import CONFIG_DIRECTORY
from recsys.cli.configuration import compose_config
from recsys.errors import RunError
from recsys.runs.updating.update_split import holds_no_validation, may_move, require_steady_split

MOVING = {"cold_both", "cold_items", "cold_users", "default", "k_fold", "leave_last_out", "leave_random_out"}
MOVING |= {"random_ratio", "temporal", "none"}
SPLITS = sorted(path.stem for path in (CONFIG_DIRECTORY / "split").glob("*.yaml"))


def config(*settings: str) -> Any:
    return compose_config("train", ["data=table", "model=popularity", *settings])


def manifest(holds_nothing_out: bool = False) -> Any:
    return SimpleNamespace(holds_nothing_out=holds_nothing_out)


@pytest.mark.parametrize("name", SPLITS)
def test_what_moves_with_any_rows_is_known_from_the_configuration(name):
    of_run = config(f"split={name}")
    if name in MOVING:
        with pytest.raises(RunError, match="A split that stays put is required to update a run, but .* split=hash"):
            require_steady_split(of_run, manifest())
    else:
        require_steady_split(of_run, manifest())
    require_steady_split(of_run, manifest(holds_nothing_out=True))


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        (["split=hash"], False),
        (["split=hash", "refit=true"], False),
        (["split=hash", "split.min_train=1"], True),
        (["split=temporal", "split.test_ratio=null", "split.test_from=2024-05-31"], True),
        (["split=predefined"], True),
    ],
)
def test_others_stay_or_have_to_be_looked_at(settings, moves):
    of_run = config(*settings)
    require_steady_split(of_run, manifest())
    assert may_move(of_run, manifest()) is moves and not may_move(of_run, manifest(holds_nothing_out=True))


def test_a_hash_for_data_that_come_unsplit_stays_put():
    of_run = config("split=default")
    of_run.split.otherwise = config("split=hash").split
    require_steady_split(of_run, manifest())
    assert not may_move(of_run, manifest())


def test_a_splitter_of_the_users_own_has_to_be_looked_at():
    of_run = config("split=random_ratio")
    of_run.split = {"_target_": "mine.Splitter"}
    require_steady_split(of_run, manifest())
    assert may_move(of_run, manifest())


@pytest.mark.parametrize(
    ("settings", "holds_nothing_out", "none"),
    [
        (["split=hash"], False, False),
        (["split=hash"], True, True),
        (["split=hash", "split.valid_ratio=0"], False, True),
        (["split=hash", "refit=true"], False, True),
    ],
)
def test_whether_there_is_validation_is_known_from_the_configuration(settings, holds_nothing_out, none):
    assert holds_no_validation(config(*settings), manifest(holds_nothing_out)) is none
