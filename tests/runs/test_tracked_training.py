import pytest

from recsys.errors import CheckpointError, RunError
from recsys.runs import tracked_training
from recsys.runs.tracked_training import train_tracked
from tests.runs.test_training_run import training_of


class Tracks:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told = []

    def start(self, run_name, parameters, state, tags):
        self.told.append(("start", tags["model"]))

    def log_epoch(self, epoch, metrics):
        self.told.append(("epoch", epoch))

    def finish(self, metrics, artifacts):
        self.told.append(("finish", sorted(path.name for path in artifacts)))

    def fail(self):
        self.told.append(("fail", None))


@pytest.fixture
def tracker(monkeypatch):
    made = Tracks()
    monkeypatch.setattr(tracked_training, "tracker_of", lambda config: made)
    return made


def test_a_training_is_tracked_from_its_start_to_its_end(tmp_path, tracker):
    lines = []
    outcome = train_tracked(*training_of(tmp_path / "run", "trainer.max_epochs=2", lines=lines))
    assert [kind for kind, _ in tracker.told] == ["start", "epoch", "epoch", "finish"]
    assert "metrics.json" in tracker.told[-1][1]
    assert outcome.monitored is not None and not any("to go on" in line for line in lines)


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [(KeyboardInterrupt(), True), (RunError("no"), True), (CheckpointError("damaged"), False)],
    ids=lambda value: type(value).__name__,
)
def test_how_to_go_on_is_said_where_that_can_be_done(error, goes_on, tmp_path, tracker, monkeypatch):
    lines = []
    training, model = training_of(tmp_path / "run", lines=lines)
    monkeypatch.setattr(type(training), "train", lambda *arguments: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        train_tracked(training, model)
    assert tracker.told[-1] == ("fail", None)
    assert len(lines) == int(goes_on)
    for line in lines:
        assert line.startswith("not finished; to go on: ") and line.endswith(f"resume={tmp_path / 'run'}")
