from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, RawSource, Reader
from tests.data.raw_data import FakeReader, films


def test_kinds_are_the_words_of_configurations() -> None:
    assert [kind.value for kind in FeatureKind] == ["categorical", "multi_valued", "number", "text"]
    assert FeatureKind("multi_valued") is FeatureKind.MULTI_VALUED
    assert f"{FeatureKind.TEXT}" == "text"  # messages print the kind
    with pytest.raises(ValueError, match="'words' is not a valid FeatureKind"):
        FeatureKind("words")


def test_a_column_has_no_separator_unless_given() -> None:
    assert FeatureColumn("genres", FeatureKind.MULTI_VALUED).separator is None
    assert FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|") != FeatureColumn("genres", FeatureKind.MULTI_VALUED)


def test_interactions_alone_make_a_data_set() -> None:
    raw = RawDataset("toy", pa.table({"user_id": ["a"], "item_id": ["b"]}))
    assert raw.users is raw.items is raw.fixed_negatives is None
    assert raw.user_features == raw.item_features == raw.sources == ()


def test_raw_data_cannot_be_changed() -> None:
    source = RawSource("u.data", "00", "a disk")
    with pytest.raises(AttributeError):
        source.name = "other"  # type: ignore[misc]


def test_the_protocol_of_a_reader_asks_for_three_members() -> None:
    assert isinstance(FakeReader(films()), Reader)
    assert not isinstance(films(), Reader)  # it has a name, but cannot read
