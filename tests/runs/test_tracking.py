import socket
from pathlib import Path

import pytest

from recsys.runs.tracking import MLflowTracker, NoTracker, flatten, legal_name

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


def tracker(uri: str, artifacts: Path) -> MLflowTracker:
    return MLflowTracker(uri, "toys", str(artifacts))


def runs(uri: str) -> dict[str, "mlflow.entities.Run"]:
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("toys")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


class TestMLflow:
    def test_records_parameters_metrics_and_artefacts(self, uri, tmp_path):
        recorder = tracker(uri, tmp_path)
        recorder.start("first", {"model": {"embedding_dim": 8}, "ks": [5, 10]}, tmp_path / "state", {"data": "toys"})
        recorder.log_epoch(1, {"valid/ndcg@10": 0.1})
        recorder.log_epoch(2, {"valid/ndcg@10": 0.2})
        (tmp_path / "metrics.json").write_text("{}")
        recorder.finish({"test/ndcg@10": 0.3}, [tmp_path / "metrics.json"])
        run = runs(uri)["first"]
        assert run.info.status == "FINISHED"
        assert run.data.tags["data"] == "toys"
        assert run.data.params == {"model.embedding_dim": "8", "ks": "[5, 10]"}
        assert run.data.metrics == {"valid/ndcg_at_10": 0.2, "test/ndcg_at_10": 0.3}
        client = mlflow.MlflowClient(tracking_uri=uri)
        history = client.get_metric_history(run.info.run_id, "valid/ndcg_at_10")
        assert [(metric.step, metric.value) for metric in history] == [(1, 0.1), (2, 0.2)]
        assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["metrics.json"]

    def test_parts_are_runs_below_it(self, uri, tmp_path):
        recorder = tracker(uri, tmp_path)
        recorder.start("search", {}, tmp_path / "state", {})
        recorder.log_child("trial 1", {"model.l2": "5"}, {"valid/ndcg@10": 0.25})
        recorder.finish({}, [])
        child, parent = runs(uri)["trial 1"], runs(uri)["search"]
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert (child.data.params, child.data.metrics) == ({"model.l2": "5"}, {"valid/ndcg_at_10": 0.25})
        assert (child.info.status, parent.data.metrics) == ("FINISHED", {})

    def test_a_failed_run_is_marked(self, uri, tmp_path):
        recorder = tracker(uri, tmp_path)
        recorder.start("second", {}, tmp_path / "state", {})
        recorder.fail()
        assert runs(uri)["second"].info.status == "FAILED"

    def test_a_resumed_run_goes_on_in_the_same_place(self, uri, tmp_path):
        tracker(uri, tmp_path).start("third", {"seed": 1}, tmp_path / "state", {})
        before = len(runs(uri))
        resumed = tracker(uri, tmp_path)
        resumed.start("third", {"seed": 1}, tmp_path / "state", {})
        resumed.log_epoch(3, {"train/loss": 0.5})
        resumed.finish({}, [])
        assert len(runs(uri)) == before
        assert runs(uri)["third"].data.metrics == {"train/loss": 0.5}


@pytest.mark.parametrize("uri", ["nonsense://here", "sqlite:////dev/null/mlflow.db"])
def test_a_store_that_fails_is_one_warning_and_no_more(tmp_path, uri):
    warnings: list[str] = []
    recorder = MLflowTracker(uri, "toys", str(tmp_path), warn=warnings.append)
    recorder.start("lost", {"seed": 1}, tmp_path / "state", {})
    recorder.log_epoch(1, {"train/loss": 1.0})
    recorder.finish({"test/ndcg@10": 0.3}, [])
    recorder.fail()
    assert len(warnings) == 1
    assert "tracking=none switches it off" in warnings[0]


def test_no_tracker_leaves_nothing(tmp_path):
    recorder = NoTracker()
    recorder.start("none", {}, tmp_path / "state", {})
    recorder.log_epoch(1, {"train/loss": 1.0})
    recorder.finish({}, [])
    recorder.fail()
    assert list(tmp_path.iterdir()) == []


def test_failing_before_the_start_is_no_error():
    MLflowTracker("sqlite://", "toys", "nowhere").fail()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test/ndcg@10", "test/ndcg_at_10"),
        ("test/user_activity=low/ndcg@10_high", "test/user_activity_low/ndcg_at_10_high"),
        ("sampled-99/hit_rate@10", "sampled-99/hit_rate_at_10"),
    ],
)
def test_names_are_made_legal(name, expected):
    assert legal_name(name) == expected


def test_nested_parameters_get_dotted_names():
    assert flatten({"a": {"b": 1, "c": {"d": None}}, "e": [1, 2]}) == {"a.b": 1, "a.c.d": None, "e": [1, 2]}


def test_a_server_that_never_answers_is_one_warning_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    warnings: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:  # whose connections nobody takes up
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        recorder = MLflowTracker(uri, "toys", str(tmp_path), warn=warnings.append)
        recorder.start("lost", {"seed": 1}, tmp_path / "state", {})
        recorder.log_epoch(1, {"train/loss": 1.0})
        recorder.finish({"test/ndcg@10": 0.3}, [])
    reason = "the server takes connections, but does not answer in time"
    assert warnings == [f"not tracked: MLflow at {uri} failed ({reason}); tracking=none switches it off"]
