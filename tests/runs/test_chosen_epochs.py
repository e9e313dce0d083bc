import json

import pytest

from recsys.errors import RunError
from recsys.runs.chosen_epochs import ChosenEpochs


def report(directory, best_epoch):
    directory.mkdir(parents=True)
    (directory / "fit.json").write_text(json.dumps({"epochs": [], "best_epoch": best_epoch, "best_value": 0.5}))


def test_epochs_of_a_model_and_of_its_parts_are_those_of_the_earlier_fit(tmp_path):
    report(tmp_path / "checkpoints", 4)
    report(tmp_path / "checkpoints" / "gmf", 9)
    epochs = ChosenEpochs(tmp_path / "checkpoints")
    assert epochs.number() == 4
    part = epochs.part("gmf")
    assert part is not None and part.number() == 9


def test_a_given_number_goes_first_and_says_nothing_of_parts():
    epochs = ChosenEpochs(None, given=3)
    assert (epochs.number(), epochs.part("gmf")) == (3, None)


def test_an_earlier_fit_that_left_no_report_is_refused(tmp_path):
    with pytest.raises(RunError, match="leave chosen_by out"):
        ChosenEpochs(tmp_path).number()


@pytest.mark.parametrize(("number", "words"), [(1, "1 epoch"), (2, "2 epochs")])
def test_epochs_in_words(number, words):
    assert ChosenEpochs(None, given=number).in_words() == words
