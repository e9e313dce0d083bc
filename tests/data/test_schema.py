import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, RawSource
from recsys.data.schema import FORMAT_VERSION, AppliedRule, RatingScale, Schema, TimeRange
from recsys.errors import PreparedDataError

SCHEMA = Schema(
    name="películas",
    num_users=2,
    num_items=3,
    num_interactions=4,
    num_positives=3,
    density=4 / 6,
    rating=RatingScale(0.5, 5.0, 3.25),
    timestamp=TimeRange(0, 9),
    folds={"train": 3, "valid": 0, "test": 1},
    num_fixed_negatives=99,
    positive_threshold=3.5,
    user_features=(),
    item_features=(FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|"),),
    rules=(AppliedRule("duplicates", "the last is kept", {"interactions": 2}),),
    sources=(RawSource("u.data", "00ff", "a disk"),),
    fingerprint={"reader": {"release": "100k"}},
    content_hash="abcd",
)


def edit(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({key: value for key, value in (content | changes).items() if value != "gone"}))


def test_a_saved_schema_is_loaded_as_it_was(tmp_path: Path) -> None:
    bare = replace(SCHEMA, rating=None, timestamp=None, folds=None, num_fixed_negatives=None, positive_threshold=None)
    for schema in (SCHEMA, bare):
        schema.save(tmp_path / "schema.json")
        assert Schema.load(tmp_path / "schema.json") == schema


def test_a_person_can_read_it(tmp_path: Path) -> None:
    SCHEMA.save(tmp_path / "schema.json")
    text = (tmp_path / "schema.json").read_text(encoding="utf-8")
    assert text.startswith(f'{{\n  "format_version": {FORMAT_VERSION},\n  "name": "películas",\n')
    assert '"kind": "multi_valued"' in text


@pytest.mark.parametrize(("version", "cause"), [(FORMAT_VERSION + 1, "a newer version"), (0, "an older version")])
def test_another_format_version_is_refused(tmp_path: Path, version: int, cause: str) -> None:
    SCHEMA.save(tmp_path / "schema.json")
    edit(tmp_path / "schema.json", format_version=version)
    with pytest.raises(
        PreparedDataError, match=f"has format version {version}, this .* reads {FORMAT_VERSION}: {cause}"
    ):
        Schema.load(tmp_path / "schema.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_what_is_no_schema_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.json").write_text(text)
    with pytest.raises(PreparedDataError, match=r"schema\.json is no readable schema"):
        Schema.load(tmp_path / "schema.json")


@pytest.mark.parametrize("changes", [{"num_users": "gone"}, {"number": 1}, {"rules": [{}]}, {"rating": {"least": 1}}])
def test_missing_and_unknown_keys_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    SCHEMA.save(tmp_path / "schema.json")
    edit(tmp_path / "schema.json", **changes)
    with pytest.raises(PreparedDataError, match="lacks or misspells a key"):
        Schema.load(tmp_path / "schema.json")


def test_a_rule_tells_what_it_removed() -> None:
    assert str(AppliedRule("k-core", "", {"interactions": 1200, "users": 0, "items": 3})) == (
        "k-core removed 1,200 interactions, 3 items"
    )
    assert str(AppliedRule("duplicates", "", {"interactions": 0})) == "duplicates removed nothing"
