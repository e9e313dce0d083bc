import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hydra.utils import get_class, instantiate

from recsys.data.split import Splitter
from recsys.data.splitting.cold_both import ColdBoth
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.default_split import DefaultSplit
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.data.splitting.predefined import Predefined
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.data.splitting.temporal import Temporal
from tests.data.splitting.generated import many

CONFIGS = Path(__file__).parents[3] / "configs"
NAMES = sorted(path.stem for path in (CONFIGS / "split").glob("*.yaml"))

NOT_RANDOM = {"leave_last_out", "none", "predefined_whole", "temporal"}


def composed(tmp_path: Path, name: str, *overrides: str) -> Any:
    """The split group as it stands in a root config with a seed of 7."""
    (tmp_path / "root.yaml").write_text(
        f"defaults: [{{split: {name}}}, _self_]\nseed: 7\nhydra: {{searchpath: ['file://{CONFIGS}']}}\n"
    )
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        return compose("root", overrides=list(overrides)).split


def test_there_is_a_config_for_each_strategy() -> None:
    strategies = [
        "cold_both",
        "cold_items",
        "cold_users",
        "default",
        "hash",
        "k_fold",
        "leave_last_out",
        "leave_random_out",
    ]
    assert NAMES == [*strategies, "none", "predefined", "predefined_whole", "random_ratio", "temporal"]


@pytest.mark.parametrize("name", NAMES)
def test_each_config_makes_a_splitter_that_splits(tmp_path: Path, name: str) -> None:
    splitter = instantiate(composed(tmp_path, name))
    assert isinstance(splitter, Splitter)
    assert (len(splitter.split(many()).test) > 0) == (name != "none")


@pytest.mark.parametrize("name", NAMES)
def test_each_config_names_every_argument_and_no_other(tmp_path: Path, name: str) -> None:
    config = composed(tmp_path, name)
    assert set(config) - {"_target_"} == set(inspect.signature(get_class(config._target_)).parameters)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"default", "predefined"}))
def test_each_config_holds_the_defaults_of_the_constructor(tmp_path: Path, name: str) -> None:
    config = composed(tmp_path, name, "seed=0")
    assert instantiate(config) == get_class(config._target_)()


@pytest.mark.parametrize("name", sorted(set(NAMES) - NOT_RANDOM - {"cold_both", "default", "predefined"}))
def test_the_seed_is_that_of_the_root(tmp_path: Path, name: str) -> None:
    assert instantiate(composed(tmp_path, name)).seed == 7
    assert instantiate(composed(tmp_path, name, "seed=8")).seed == 8


def test_predefined_draws_one_random_interaction_of_each_user_for_validation(tmp_path: Path) -> None:
    assert instantiate(composed(tmp_path, "predefined")) == Predefined(LeaveRandomOut(1, 0, seed=7))


def test_default_is_predefined_or_a_random_ratio(tmp_path: Path) -> None:
    splitter = instantiate(composed(tmp_path, "default"))
    assert splitter == DefaultSplit(Predefined(LeaveRandomOut(1, 0, seed=7)), RandomRatio(seed=7))


def test_cold_both_draws_items_and_users_with_the_seed_of_the_root(tmp_path: Path) -> None:
    assert instantiate(composed(tmp_path, "cold_both")) == ColdBoth(ColdItems(seed=7), ColdUsers(seed=7))


def test_predefined_can_do_without_validation(tmp_path: Path) -> None:
    assert instantiate(composed(tmp_path, "predefined", "split.validation=null")) == Predefined(None)


def test_temporal_can_be_cut_at_a_moment(tmp_path: Path) -> None:
    config = composed(tmp_path, "temporal", "split.test_ratio=null", "split.test_from=1000000000")
    assert instantiate(config) == Temporal(test_ratio=None, test_from=1_000_000_000)


def test_cold_users_can_be_given_a_number_of_interactions(tmp_path: Path) -> None:
    config = composed(tmp_path, "cold_users", "split.given_ratio=null", "split.num_given=5")
    assert instantiate(config) == ColdUsers(given_ratio=None, num_given=5, seed=7)


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HydraException, match="num_tests"):
        composed(tmp_path, "leave_last_out", "split.num_tests=2")


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        ("leave_last_out", "split.num_test=0", "num_test must be a whole number of at least 1; got 0"),
        ("random_ratio", "split.test_ratio=much", "test_ratio must be a number above 0 and below 1; got 'much'"),
        ("k_fold", "seed=-1", "seed must be a whole number of at least 0; got -1"),
    ],
)
def test_a_bad_value_is_named_with_what_to_set(tmp_path: Path, name: str, override: str, message: str) -> None:
    with pytest.raises(HydraException, match=message):
        instantiate(composed(tmp_path, name, override))
