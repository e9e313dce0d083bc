from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from hydra.utils import get_class, instantiate

from recsys.data.raw import Reader

CONFIGS = Path(__file__).parents[3] / "configs"
NAMES = sorted(path.stem for path in (CONFIGS / "data").glob("*.yaml"))


def _reader(name: str, *overrides: str) -> Any:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(overrides=[f"+data={name}", "+paths.cache_dir=/nowhere", *overrides])
    return instantiate(config.data)


def test_every_data_set_has_a_config() -> None:
    releases = ["100k", "10m", "1m", "20m", "25m", "32m", "latest_small"]
    others = ["amazon_reviews", "goodreads", "ncf", "prepared", "remote", "sql", "store", "synthetic", "table"]
    assert sorted(NAMES) == sorted([*others, *(f"movielens_{release}" for release in releases)])


@pytest.mark.parametrize("name", NAMES)
def test_every_config_makes_its_reader(name: str) -> None:
    reader = _reader(name)
    assert isinstance(reader, Reader)
    if name not in ("table", "ncf", "prepared", "remote", "sql", "store"):  # these need a place, or a database
        json.dumps(reader.fingerprint())


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_listed_in_the_config(name: str) -> None:
    config = yaml.safe_load((CONFIGS / "data" / f"{name}.yaml").read_text())
    target = get_class(config["_target_"])
    assert set(config) - {"_target_", "_convert_"} == set(inspect.signature(target).parameters)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("movielens")])
def test_movielens_configs_name_their_release(name: str) -> None:
    assert _reader(name).name == name


@pytest.mark.parametrize("override", ["data.interaction=x.csv", "data.columns.usr=x"])
def test_unknown_keys_are_refused(override: str) -> None:
    with pytest.raises(ConfigCompositionException, match="Could not override"):
        _reader("table", override)


def test_columns_and_features_of_a_table_are_overridden_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("who,item_id,rating\nu,1,2\n")
    (tmp_path / "items.csv").write_text("item_id,genres,year\n1,x|y,1999\n")
    dataset = _reader(
        "table",
        f"data.interactions={tmp_path}/i.csv",
        f"data.items={tmp_path}/items.csv",
        "data.columns.user=who",
        "data.columns.rating=null",
        'data.item_features={genres: {kind: multi_valued, separator: "|"}}',
    ).read()
    assert dataset.interactions.to_pylist() == [{"user_id": "u", "item_id": "1"}]
    assert [(column.name, column.separator) for column in dataset.item_features] == [("genres", "|")]
