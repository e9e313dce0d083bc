import errno
import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from omegaconf import OmegaConf

from recsys.runs.run_lock import locked_run
from tests.scripts.running import SCRIPTS

SMALL = [
    "tracking=none",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "training.batch_size=64",
    "model.embedding_dim=8",
    "training.optimizer.lr=0.02",
]


class TestTraining:
    def test_leaves_a_run_directory_that_its_last_line_names(self, scripts, board):
        finished = scripts("train", *board, *SMALL)
        assert finished.status == 0, finished.err
        run = scripts.directory / finished.run
        assert {path.name for path in run.iterdir()} == {
            "checkpoints",
            "config.yaml",
            "curves.png",
            "history.csv",
            "metrics.json",
            "model.safetensors",
            "per_user.parquet",
            "run.json",
        }
        metrics = json.loads((run / "metrics.json").read_text())
        assert metrics["test/ndcg@10_low"] <= metrics["test/ndcg@10"] <= metrics["test/ndcg@10_high"]
        assert list(pd.read_csv(run / "history.csv")["epoch"]) == [1, 2]
        config = OmegaConf.load(run / "config.yaml")
        assert config.model.embedding_dim == 8
        assert not OmegaConf.missing_keys(config)

    def test_the_values_of_each_user_average_to_the_metrics(self, scripts, board):
        run = scripts.directory / scripts("train", *board, *SMALL).run
        metrics = json.loads((run / "metrics.json").read_text())
        table = pd.read_parquet(run / "per_user.parquet")
        assert list(table["user_id"]) == sorted(table["user_id"])
        assert set(table["user_activity"]) <= {"low", "mid", "high"}
        measures = [name for name in table if name not in ("user_id", "user_activity")]
        assert {"ndcg@10", "recall@5", "novelty@10", "item_popularity=tail/recall@10"} <= set(measures)
        for name in measures:
            assert table[name].mean() == pytest.approx(metrics.get(f"test/{name}", float("nan")), nan_ok=True), name
        for segment, rows in table.groupby("user_activity"):
            assert rows["ndcg@10"].mean() == pytest.approx(metrics[f"test/user_activity={segment}/ndcg@10"])

    def test_shows_the_baseline_and_titles(self, scripts, board):
        out = scripts("train", *board, *SMALL, "show_users=2").out
        assert "popularity" in out
        assert out.count("For user u") == 2
        assert "Square" in out

    @pytest.mark.parametrize(
        "settings",
        [
            ["model=neumf", "model.hidden_dims=[8,4]", "pretraining={gmf: {trainer: {max_epochs: 1}}, mlp: {}}"],
            ["training=full_catalogue", "training/catalogue_loss=weighted_logistic", "training/scheduler=cosine"],
            ["training/loss=bpr", "training/negative_sampler=popularity", "training/optimizer=adagrad"],
            ["training/loss=sampled_softmax", "training/optimizer=sgd", "split=leave_random_out"],
        ],
        ids=lambda settings: settings[0],
    )
    def test_every_part_can_be_exchanged(self, scripts, board, settings):
        finished = scripts("train", *board, *SMALL, *settings)
        assert finished.status == 0, finished.err
        assert (scripts.directory / finished.run / "run.json").is_file()

    def test_compiled_scoring_trains_the_same_model(self, scripts, board):
        # In a process of its own, as the compiler is particular about what was imported before it.
        plain = scripts("train", *board, *SMALL).run
        script = [sys.executable, str(SCRIPTS / "train.py"), *board, *SMALL, "training.compile_network=true"]
        process = subprocess.run(script, capture_output=True, text=True, cwd=scripts.directory)
        assert process.returncode == 0, process.stderr
        compiled = process.stdout.strip().splitlines()[-1].removeprefix("run: ")
        histories = [pd.read_csv(scripts.directory / run / "history.csv") for run in (plain, compiled)]
        assert histories[1]["train/loss"].tolist() == pytest.approx(histories[0]["train/loss"].tolist(), rel=1e-4)

    def test_popularity_needs_no_epochs(self, scripts, board):
        finished = scripts("train", *board, "model=popularity", "tracking=none")
        assert finished.status == 0, finished.err
        assert not (scripts.directory / finished.run / "curves.png").exists()

    def test_same_seed_same_numbers(self, scripts, board):
        first, second = (scripts("train", *board, *SMALL).run for _ in range(2))
        assert first != second
        texts = [(scripts.directory / run / "metrics.json").read_text() for run in (first, second)]
        assert texts[0] == texts[1]

    def test_a_last_fit_takes_validation_too_and_keeps_the_test(self, scripts, board):
        apart = scripts("train", *board, *SMALL)
        whole = scripts("train", *board, *SMALL, "refit=true")
        assert whole.status == 0, whole.err
        counts = [
            [int(number) for number in re.findall(r"(\d+) (?:training|validation|test)", run.out)]
            for run in (apart, whole)
        ]
        (train, valid, test), again = counts
        assert valid > 0
        assert again == [train, valid, test]
        assert f"now on training and validation ({train + valid}), for " in whole.out
        users = [pd.read_parquet(scripts.directory / run.run / "per_user.parquet")["user_id"] for run in (apart, whole)]
        assert users[0].equals(users[1])
        assert scripts("evaluate", f"run={whole.run}").status == 0

    def test_a_sweep_leaves_a_run_for_each_combination(self, scripts, board):
        finished = scripts("train", "-m", *board, *SMALL, "seed=1,2")
        assert finished.status == 0, finished.err
        assert finished.out.count("run: runs") == 2
        assert len(list((scripts.directory / "runs").glob("*/run.json"))) == 2

    def test_a_sweep_goes_on_where_it_was_interrupted(self, scripts, board):
        first = scripts("train", "-m", *board, *SMALL, "seed=1,2", "name=mf_${seed}")
        sweep = next(line for line in first.out.splitlines() if line.startswith("sweep: ")).removeprefix("sweep: ")
        runs = {path.name[-1]: path for path in (scripts.directory / "runs").glob("2*")}
        before = (runs["2"] / "metrics.json").read_text()
        for part in ("run.json", "metrics.json", "model.safetensors"):
            (runs["2"] / part).unlink()
        again = scripts("train", "-m", *board, *SMALL, "seed=1,2,3", "name=mf_${seed}", f"sweep={sweep}")
        assert again.status == 0, again.err
        assert again.out.count("finished before") == 1
        assert (runs["2"] / "metrics.json").read_text() == before
        assert len(list((scripts.directory / "runs").glob("2*/run.json"))) == 3
        assert "needs -m" in scripts("train", *board, *SMALL, f"sweep={sweep}").err

    def test_one_bad_combination_does_not_stop_the_others_of_a_sweep(self, scripts, board):
        finished = scripts("train", "-m", *board, *SMALL, "training.batch_size=0,64")
        assert finished.status != 0
        assert "batch_size=0" in finished.err
        assert len(list((scripts.directory / "runs").glob("*/run.json"))) == 1

    def test_a_start_that_fails_leaves_no_run(self, scripts, board):
        assert scripts("train", *board, *SMALL, "data.interactions=missing.csv").status == 2
        assert not (scripts.directory / "runs").exists()

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
    def test_is_tracked_by_default(self, scripts, board):
        arguments = [argument for argument in SMALL if argument != "tracking=none"]
        finished = scripts("train", *board, *arguments)
        assert finished.status == 0, finished.err
        assert (scripts.directory / "mlflow.db").is_file()
        copies = list((scripts.directory / "mlruns").rglob("*.*"))
        assert {path.name for path in copies} >= {"config.yaml", "metrics.json", "model.safetensors", "curves.png"}


class TestResuming:
    def interrupted(self, scripts, board):
        """A run that trained one of two epochs and was cut off before it could be evaluated."""
        run = scripts.directory / scripts.trained(*board, *SMALL, "trainer.max_epochs=1")
        for part in ("run.json", "metrics.json", "model.safetensors", "checkpoints/fit.json"):
            (run / part).unlink()
        return run

    def test_goes_on_to_the_numbers_of_an_uninterrupted_run(self, scripts, board):
        whole = scripts("train", *board, *SMALL).run
        run = self.interrupted(scripts, board)
        finished = scripts("train", f"resume={run}", "trainer.max_epochs=2")
        assert finished.status == 0, finished.err
        assert "epoch 1/2" not in finished.out
        assert "epoch 2/2" in finished.out
        expected = json.loads((scripts.directory / whole / "metrics.json").read_text())
        assert json.loads((run / "metrics.json").read_text()) == expected

    def test_keeps_the_settings_of_the_run(self, scripts, board):
        run = self.interrupted(scripts, board)
        assert scripts("train", f"resume={run}").status == 0
        assert OmegaConf.load(run / "config.yaml").model.embedding_dim == 8

    def test_refuses_another_model(self, scripts, board):
        run = self.interrupted(scripts, board)
        finished = scripts("train", f"resume={run}", "model=neumf")
        assert finished.status == 2
        assert (
            "only values of trainer, fitting, evaluation, tracking, show_users, trusted_modules may be changed"
            in finished.err
        )

    @pytest.mark.parametrize("override", ["training.optimizer.lr=0.5", "seed=7", "trainer={max_epochs: 3}"])
    def test_refuses_what_would_have_no_effect(self, scripts, board, override):
        run = self.interrupted(scripts, board)
        finished = scripts("train", f"resume={run}", override)
        assert finished.status == 2
        assert override in finished.err

    def test_a_moved_run_keeps_its_best_epoch(self, scripts, board):
        whole = scripts("train", *board, *SMALL, "training.optimizer.lr=0.5", "trainer.max_epochs=6").run
        run = (
            scripts.directory
            / scripts("train", *board, *SMALL, "training.optimizer.lr=0.5", "trainer.max_epochs=4").run
        )
        for part in ("run.json", "metrics.json", "model.safetensors", "checkpoints/fit.json"):
            (run / part).unlink()
        moved = run.rename(scripts.directory / "elsewhere")
        finished = scripts("train", f"resume={moved}", "trainer.max_epochs=6")
        assert finished.status == 0, finished.err
        expected = json.loads((scripts.directory / whole / "metrics.json").read_text())
        assert json.loads((moved / "metrics.json").read_text()) == expected

    def test_refuses_a_run_of_an_earlier_version(self, scripts, board):
        run = self.interrupted(scripts, board)
        config = OmegaConf.load(run / "config.yaml")
        del config["sources_training"]
        OmegaConf.save(config, run / "config.yaml")
        finished = scripts("train", f"resume={run}")
        assert finished.status == 2
        assert "was written by an earlier version of recsys" in finished.err

    def test_refuses_a_run_that_another_process_trains(self, scripts, board):
        run = self.interrupted(scripts, board)
        with locked_run(run):
            finished = scripts("train", f"resume={run}")
        assert finished.status == 2
        assert "One process at a time may train in" in finished.err
        assert not (run / "run.json").exists()

    @pytest.mark.parametrize("damaged", ["last.ckpt", "fit.json"])
    def test_a_damaged_file_is_one_message_and_without_it_training_goes_on(self, scripts, board, damaged):
        run = self.interrupted(scripts, board)
        (run / "checkpoints" / damaged).write_bytes(b"{half")
        finished = scripts("train", f"resume={run}")
        assert finished.status == 2
        assert f"{damaged} is damaged" in finished.err and "Traceback" not in finished.err
        (run / "checkpoints" / damaged).unlink()
        assert scripts("train", f"resume={run}").status == 0

    def test_refuses_a_run_whose_settings_name_other_code(self, scripts, board):
        run = self.interrupted(scripts, board)
        config = OmegaConf.load(run / "config.yaml")
        config.model = {"_target_": "os.system", "command": "touch ran"}
        OmegaConf.save(config, run / "config.yaml")
        finished = scripts("train", f"resume={run}")
        assert finished.status == 2
        assert "config.yaml has model._target_=os.system, which would run other code" in finished.err
        assert not (scripts.directory / "ran").exists()

    def test_refuses_a_finished_run(self, scripts, board):
        run = scripts("train", *board, *SMALL).run
        finished = scripts("train", f"resume={run}")
        assert finished.status == 2
        assert "is finished" in finished.err

    def test_refuses_what_is_no_run(self, scripts, board):
        finished = scripts("train", "resume=nowhere")
        assert finished.status == 2
        assert "An interrupted run is required" in finished.err


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["model.embeding_dim=8"], "Key 'embeding_dim' is not in struct"),
            (["data=movielens_999"], "Could not find 'data/movielens_999'"),
            (["training.batch_size=0"], "batch_size=0"),
            (["training.negative_sampler.num_negatives=0"], "num_negatives=0"),
            (["pretraining={gmf: {}}"], "MF has none"),
            (["model=neumf", "pretraining={gmf: {optimizer: {lr: 1}}, mlp: {}}"], "may change training and trainer"),
            (
                ["model=neumf", "pretraining={gmf: {trainer: {max_epoch: 1}}, mlp: {}}"],
                "has no setting 'max_epoch', but max_epochs",
            ),
            (["fitting.monitor=valid/ndcg@20"], "fitting.monitor must be one of"),
            (["training.optimizer.lr=-1"], "training.optimizer.lr must be at least 0"),
            (["model.embedding_dim=0"], "embedding_dim must be at least 1"),
            (["model=neumf", "model.hidden_dims=[]"], "hidden_dims must be at least 1"),
            (["trainer.accelerator=tpu"], "must be auto, cpu or gpu"),
            (["trainer.devices=2", "seed=1,2", "-m"], "A sweep trains on one device at a time"),
            (["evaluation.ks=[0]"], "0"),
            (["name=../../elsewhere"], "name must be the name of a directory"),
            (["split=none"], "split=none leaves no validation that could say how many"),
            (["chosen_by=nowhere", "refit=all"], "nowhere has no config.yaml"),
            (["model=neumf", "pretraining={gmf: {}}"], "settings for each tower (gmf, mlp)"),
            (["data.interactions=missing.csv"], "missing.csv"),
            (["data.columns.user=customer"], "customer"),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else "",
    )
    def test_one_clear_message_and_no_traceback(self, scripts, board, arguments, message):
        finished = scripts("train", *board, *SMALL, *arguments)
        assert finished.status != 0
        assert message in finished.err
        assert "Traceback" not in finished.err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["training.batch_size=0"], "training.batch_size must be at least 1"),
            (["model.dropout=1.5"], "model.dropout must be at least 0 and below 1"),
            (["show_users=abc"], "show_users must be a whole number"),
            (["fitting.monitor=valid/ndcg@20"], "fitting.monitor must be one of"),
            (["training/optimizer=sgd", "+training.optimizer.nesterov=true"], "Nesterov momentum requires a momentum"),
            (["training=next_item"], "training="),
            (["training=none"], "MF learns by gradient steps, but training=none is for models that are fitted at once"),
            (["pretraining={gmf: {}}"], "MF has none"),
            (["trainer.accelerator=tpu"], "must be auto, cpu or gpu"),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else "",
    )
    def test_a_wrong_setting_leaves_no_run_directory(self, scripts, board, arguments, message):
        kept = [text for text in SMALL if not (arguments[0].startswith("training=") and text.startswith("training"))]
        finished = scripts("train", *board, *kept, *arguments)
        assert finished.status == 2
        assert message in finished.err
        assert "Traceback" not in finished.err
        assert not (scripts.directory / "runs").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["model=ease", "training/optimizer=adam"], "training/optimizer=adam has no effect"),
            (["model=ease", "training.optimizer.lr=1"], "These have: training=full_catalogue, training=listwise"),
            (["training/loss=bpr", "training=listwise"], "These have: training=sampled_negatives. Choose one"),
            (
                ["stacking_folds=last"],
                "stacking_folds=last has no effect, as the chosen training has no stacking_folds",
            ),
            (["model/weighting=bm25"], "the chosen model has no weighting. These have: model=item_knn, model=user_knn"),
            (["name=a=b"], "name=a=b cannot be read"),
            (["name=a=b"], "must be quoted: 'name=\"a=b\"'"),
            (["data.root=a(b)"], "'data.root=\"a(b)\"'"),
            (["name=a,b"], "name=a,b has several values"),
            (["optimizer=adam"], "is called 'training/optimizer' now"),
            (["training=history_targets"], "is called 'training=next_item' now"),
            (["modle=ease"], "There is no setting modle"),
            (["model=eaze"], "Could not find 'model/eaze'. Choose one of"),
            (["runs"], "An argument must be a setting with its value"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_a_command_line_that_does_not_compose_is_one_message(self, scripts, arguments, message):
        finished = scripts("train", *arguments)
        assert finished.status == 2
        assert finished.err.startswith("error: ") and finished.err.count("\n") == 1
        assert message in finished.err

    def test_a_full_disk_is_one_message_and_leaves_no_finished_run(self, scripts, board, monkeypatch):
        def full(*arguments, **options):
            raise OSError(errno.ENOSPC, "No space left on device", "last.ckpt.partial")

        monkeypatch.setattr("recsys.training.checkpointing.checkpoints.torch.save", full)
        finished = scripts("train", *board, *SMALL)
        assert finished.status == 2
        assert finished.err.startswith("error: No space is left on the disk")
        assert list((scripts.directory / "runs").glob("*/run.json")) == []

    def test_a_failed_run_leaves_nothing_that_counts_as_finished(self, scripts, board):
        scripts("train", *board, *SMALL, "training/optimizer=sgd", "training.optimizer.lr=1e30")
        assert list((scripts.directory / "runs").glob("*/run.json")) == []

    def test_status_of_the_process(self, scripts, board):
        script = [sys.executable, str(SCRIPTS / "train.py"), "resume=nowhere"]
        process = subprocess.run(script, capture_output=True, text=True, cwd=scripts.directory)
        assert process.returncode == 2
        assert process.stderr.startswith("error: An interrupted run is required")
