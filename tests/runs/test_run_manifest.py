from dataclasses import replace

import pytest

from recsys.errors import RunError
from recsys.runs.run_manifest import RunManifest
from tests.models.board_data import prepared_board
from tests.studies.comparison.made_runs import MANIFEST


def test_a_run_of_all_interactions_holds_nothing_out():
    assert not MANIFEST.holds_nothing_out
    assert not replace(MANIFEST, trained_on="training and validation").holds_nothing_out
    assert replace(MANIFEST, trained_on="all interactions").holds_nothing_out


def test_the_data_must_be_those_of_the_run():
    board = prepared_board()
    replace(MANIFEST, data_hash=board.schema.content_hash).check_data(board)
    with pytest.raises(RunError, match="Use the data of the run"):
        MANIFEST.check_data(board)


def test_what_earlier_versions_did_not_say_has_its_usual_value():
    fields = {name: getattr(MANIFEST, name) for name in RunManifest.__slots__}
    for name in ("view", "trained_on", "epochs_chosen", "measured"):
        del fields[name]
    assert RunManifest(**fields).measured == "this model"
