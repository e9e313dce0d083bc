import pytest

from recsys.export.learning_curve_file import copy_learning_curve
from recsys.runs.run_directory import HISTORY, SELECTION
from tests.export.board_bundles import board_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return board_run("ease", tmp_path_factory.mktemp("runs") / "run")


def test_the_curve_of_the_kept_weights_goes_before_that_of_the_choice(run, tmp_path):
    target, place = tmp_path / "curve.csv", run.directory.path
    copy_learning_curve(run, target)
    assert not target.exists()  # a model in closed form has no epochs
    (place / SELECTION).mkdir()
    (place / SELECTION / HISTORY).write_text("epoch\n1\n")
    copy_learning_curve(run, target)
    assert target.read_text() == "epoch\n1\n"
    (place / HISTORY).write_text("epoch\n2\n")
    copy_learning_curve(run, target)
    assert target.read_text() == "epoch\n2\n"
