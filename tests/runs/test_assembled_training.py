import pytest

from recsys.errors import RecsysError
from recsys.runs import assembled_training
from recsys.runs.assembled_training import assemble_training
from recsys.runs.run_directory import RunDirectory
from tests.models.board_data import prepared_board
from tests.runs.test_model_fitting import config


@pytest.fixture(autouse=True)
def board(monkeypatch):
    monkeypatch.setattr(assembled_training, "build_data", lambda config: prepared_board())


def test_a_training_is_put_together_and_told(tmp_path):
    lines, run = [], RunDirectory(tmp_path)
    training, model = assemble_training(config("model=mf", "model.embedding_dim=4"), run, lines.append)
    schema = prepared_board().schema
    assert training.run is run and training.print_line == lines.append
    assert sum(weight.numel() for weight in model.parameters()) >= 4 * (schema.num_users + schema.num_items)
    assert lines[0].startswith(f"{schema.name}: {schema.num_users:,} users, {schema.num_items:,} items, ")
    assert lines[-1].startswith("MF: ")


def test_a_wrong_setting_leaves_no_run_directory(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(assembled_training, "shared_run", lambda config, run: made.append(run))
    with pytest.raises(RecsysError):
        assemble_training(config("model=mf", "training.batch_size=0"), None, lambda line: None)
    assert not made
