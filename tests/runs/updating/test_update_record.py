from dataclasses import replace

import pytest

from recsys.errors import RunError
from recsys.runs.updating.update_record import DriftCheck, UpdateRecord

CHECK = DriftCheck("ndcg@10", 100, 0.2, 0.21, 0.01, 0.004, 0.016, 0.002, 3.5)
RECORD = UpdateRecord("/runs/a", 4, 4, "IALS was updated", 100, 3, 2, 0.5, 12, CHECK)


def test_it_is_read_as_it_was_written():
    assert UpdateRecord.parse(RECORD.plain()) == RECORD
    assert UpdateRecord.parse(replace(RECORD, drift=None).plain()).drift is None


def test_the_refit_is_taken_where_all_of_the_interval_lies_above_the_tolerance():
    assert CHECK.takes_refit and CHECK.in_words().endswith("+0.0100 [+0.0040, +0.0160]; the refit is taken")
    assert not replace(CHECK, tolerance=0.005).takes_refit
    assert "the updated model stays" in replace(CHECK, low=-0.001).in_words()


def test_a_damaged_record_is_told():
    with pytest.raises(RunError, match="The record of an update in run.json is damaged"):
        UpdateRecord.parse({"parent": "/runs/a"})
