import json
from dataclasses import replace

import pytest

from recsys.data.id_types import IdTypes
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import BundleError
from recsys.runtime.manifest import (
    BUNDLE_VERSION,
    HASH,
    BundleData,
    BundleFile,
    BundleIndex,
    Manifest,
    Source,
    _hash_of,
    fingerprint_of,
)
from recsys.runtime.personalization.knowledge import Reads

DATA = BundleData(
    name="board",
    content_hash="c0ffee",
    num_users=4,
    num_items=3,
    min_rating=4.0,
    rating_range=(1.0, 5.0),
    item_features=(
        FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|"),
        FeatureColumn("tags", FeatureKind.MULTI_VALUED, None),
        FeatureColumn("year", FeatureKind.NUMBER),
    ),
    content_column="genres",
)
MANIFEST = Manifest(
    bundle_version=BUNDLE_VERSION,
    name="modèle",
    created="2024-05-01T12:00:00",
    retriever=Source("runs/mf", "MF", {"test/ndcg@10": 0.5}, Reads(None, True)),
    ranker=Source("runs/ease", "EASE", {}, Reads("items", False, ("age",))),
    data=DATA,
    index=BundleIndex("faiss", 8, "int8", "IVF4,Flat", {"search_effort": 2, "rescore": 3}, 0.98),
    folds_in=True,
    num_candidates=200,
    floats_per_position=16,
    max_history=None,
    longest_history=30,
    inputs={"query_encoder.onnx": {"history": {"type": "tensor(int64)", "shape": ["batch", "length"]}}},
    outputs={"query_encoder.onnx": {"query": {"type": "tensor(float)", "shape": ["batch", 8]}}},
    parity={"retriever": {"max_difference": 1e-6}},
    neighbours={"model": "cosine of vectors"},
    versions={"python": "3.11.9"},
    files={"index.faiss": BundleFile("ab12", 1234)},
    exclude_seen={"after_days": 30.0},
    filters={"discontinued": {"none_of": [True]}},
    popular_days=7.0,
)


def change(directory, **changes):
    """Write a manifest as somebody would who changes values and knows how its hash is made."""
    MANIFEST.write(directory)
    path = directory / "manifest.json"
    content = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    content.pop(HASH)
    path.write_text(json.dumps({**content, HASH: _hash_of(content)}))


def test_what_is_written_is_read(tmp_path):
    MANIFEST.write(tmp_path)
    assert Manifest.read(tmp_path) == MANIFEST


def test_what_is_missing_stays_missing(tmp_path):
    data = replace(DATA, min_rating=None, rating_range=None, item_features=(), content_column=None)
    bare = replace(MANIFEST, ranker=None, data=data, index=BundleIndex("scores", 3), files={})
    bare.write(tmp_path)
    assert Manifest.read(tmp_path) == bare


def test_ids_are_text_where_a_manifest_says_nothing_of_their_types(tmp_path):
    replace(MANIFEST, data=replace(DATA, id_types=IdTypes("int64", "str"))).write(tmp_path)
    assert Manifest.read(tmp_path).data.id_types == IdTypes("int64", "str")
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    del content[HASH], content["data"]["id_types"]  # as in a bundle that was written before
    (tmp_path / "manifest.json").write_text(json.dumps({**content, HASH: _hash_of(content)}), encoding="utf-8")
    assert Manifest.read(tmp_path).data.id_types == IdTypes("str", "str")


def test_it_can_be_read_by_people(tmp_path):
    MANIFEST.write(tmp_path)
    text = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    assert '\n  "name": "modèle",\n' in text and text.endswith("}\n")
    assert '"kind": "multi_valued"' in text


def test_separators_are_those_of_strings():
    assert DATA.separators == {"genres": "|"}


def test_an_index_is_exact_and_whole_unless_it_says_otherwise():
    index = BundleIndex("exact", 8)
    assert (index.storage, index.factory, index.parameters, index.recall) == ("float32", None, {}, 1.0)


def test_no_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match=r"has no manifest.json that can be read. Make one: python scripts/export"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("version", [0, 1, 2, 3, 5, None, "4"])
def test_another_version_is_refused(tmp_path, version):
    change(tmp_path, bundle_version=version)
    with pytest.raises(BundleError, match=f"Bundles of version 4 are required, but .* is of version {version}"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000])
def test_a_damaged_manifest_is_told(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match=r"manifest.json is damaged \(.+\). Export the bundle again"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("changes", [{"num_candidates": 3}, {"colour": "red"}, {HASH: "0" * 64}, {HASH: None}], ids=str)
def test_an_edited_manifest_is_noticed(tmp_path, changes):
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}))
    with pytest.raises(BundleError, match=r"manifest.json was changed or damaged: .* a manifest is not edited"):
        Manifest.read(tmp_path)


def test_another_layout_of_the_same_is_no_change(tmp_path):
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), sort_keys=True))
    assert Manifest.read(tmp_path) == MANIFEST


def test_a_bundle_that_was_exported_anew_has_another_fingerprint(tmp_path):
    assert fingerprint_of(tmp_path) is None
    MANIFEST.write(tmp_path)
    first = fingerprint_of(tmp_path)
    replace(MANIFEST, files={"index.faiss": BundleFile("ab13", 1234)}).write(tmp_path)
    assert first is not None and fingerprint_of(tmp_path) not in (None, first)


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(BundleError, match=r"manifest.json is damaged"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"retriever": None},
        {"data": {"name": "board"}},
        {"data": []},
        {"index": {"kind": "exact", "dim": 8, "depth": 3}},
        {"files": []},
        {"files": {"a": {"sha256": "0"}}},
        {"files": {"a": {"sha256": 0, "bytes": 1}}},
        {"num_candidates": "many"},
        {"num_candidates": True},
        {"folds_in": 1},
        {"max_history": 2.5},
        {"inputs": {"a": 3}},
        {"exclude_seen": "often"},
        {"filters": ["a"]},
        {"colour": "red"},
    ],
    ids=str,
)
def test_parts_of_another_shape_are_told(tmp_path, changes):
    change(tmp_path, **changes)
    with pytest.raises(BundleError, match=r"manifest.json is damaged"):
        Manifest.read(tmp_path)


def test_a_list_is_no_manifest(tmp_path):
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(BundleError, match="is of version None"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("kind", ["colour", None])
def test_a_feature_of_an_unknown_kind_is_told(tmp_path, kind):
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["data"]["item_features"][0]["kind"] = kind
    change(tmp_path, data=content["data"])
    with pytest.raises(BundleError, match="manifest.json is damaged"):
        Manifest.read(tmp_path)
