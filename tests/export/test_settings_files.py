"""The settings of a bundle, as files of it."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from recsys.errors import ExportError
from recsys.export.settings_files import with_export_settings_of
from recsys.runtime.bundle import EXPORT_SETTINGS, RANKER_TRAINING_SETTINGS, TRAINING_SETTINGS, Bundle
from tests.export.board_bundles import board_bundle

NAMES = ("num_candidates", "popular_days", "filters")


def test_a_bundle_has_those_of_both_trainings_and_of_the_export():
    bundle = Bundle.open(board_bundle("ease", ranker="pure_svd"))
    files = (TRAINING_SETTINGS, RANKER_TRAINING_SETTINGS, EXPORT_SETTINGS)
    assert set(files) <= set(bundle.manifest.files)
    retriever, ranker, export = (OmegaConf.load(bundle.directory / name) for name in files)
    assert retriever.model._target_.endswith("EASE")
    assert ranker.model._target_.endswith("PureSVD")
    assert (export.index, export.num_candidates) == ("auto", 200)


def test_what_the_command_line_says_counts_more(tmp_path):
    path = tmp_path / "export.yaml"
    path.write_text("num_candidates: 50\npopular_days: 7\nfilters: {colour: {none_of: [white]}}\nunknown: 1\n")
    given = {"num_candidates": 99, "popular_days": None, "filters": None, "output": "x"}
    assert with_export_settings_of(given, path, NAMES, ["run=y", "num_candidates=99"]) == {
        "num_candidates": 99,
        "popular_days": 7,
        "filters": {"colour": {"none_of": ["white"]}},
        "output": "x",
    }


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("- 5\n", "has no settings")])
def test_a_file_that_is_none_is_refused(tmp_path, content, message):
    path = tmp_path / "export.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ExportError, match=message):
        with_export_settings_of({}, path, NAMES, [])
