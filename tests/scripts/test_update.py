"""Thirty days in small: updates beside refits, with nothing moved and nothing tested trained on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.data.prepared import open_prepared
from recsys.runs.trained_run import open_run, split_of_run

PLAIN = ["tracking=none", "show_users=0", "evaluation.bootstrap_samples=20", "trainer.accelerator=cpu"]
SPLIT = ["split=hash", "split.test_ratio=0.2", "split.valid_ratio=0.2"]
TABLE = ["data=table", "data.interactions=day0.csv", "data.columns.user=who", "data.columns.timestamp=at"]


def write_days(directory: Path, num_days: int) -> None:
    """Users like items of their parity; each day a new user and a new item come."""
    rng = np.random.default_rng(0)
    for day in range(num_days + 1):
        users = range(40) if day == 0 else [*rng.choice(40, 6, replace=False).tolist(), 39 + day]
        rows = ["who,item_id,at"]
        for user in users:
            items = np.flatnonzero((np.arange(30 + day) + user) % 2 == 0)
            chosen = rng.choice(items, min(len(items), 10 if day == 0 or user >= 40 else 2), replace=False)
            rows += [f"u{user:02},i{item:02},{day}" for item in chosen]
        (directory / f"day{day}.csv").write_text("\n".join(rows), encoding="utf-8")


def update(scripts, run: Path, day: int, *settings: str) -> Path:
    finished = scripts("update", f"run={run}", f"interactions=day{day}.csv", *settings)
    assert finished.status == 0, finished.err
    return finished.run


@pytest.mark.parametrize("model", ["popularity", "ease", "item_knn", "ials model.embedding_dim=8"])
def test_each_day_is_appended_and_learnt(scripts, model):
    write_days(scripts.directory, 4)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, *f"model={model}".split()).run
    tested: set[tuple[str, str]] = set()
    for day in range(1, 5):
        before = open_run(run)
        run = update(scripts, run, day, "drift.every=2", "drift.tolerance=0.9")
        now = open_run(run)
        known = before.prepared.user_vocabulary.ids
        assert now.prepared.user_vocabulary.ids[: len(known)].equals(known)
        assert now.prepared.item_vocabulary.ids[:30].equals(before.prepared.item_vocabulary.ids[:30])
        view, split = split_of_run(now)
        users, items = (
            now.prepared.user_vocabulary.ids_of(view.interactions.user_index).to_pylist(),
            now.prepared.item_vocabulary.ids_of(view.interactions.item_index).to_pylist(),
        )
        tested |= {(users[row], items[row]) for row in split.test}
        assert tested.isdisjoint((users[row], items[row]) for row in split.train)
    record = json.loads((run / "run.json").read_text())["update"]
    assert record["updates"] == record["since_refit"] == 4
    assert record["drift"]["num_users"] > 10
    page = (run / "update.md").read_text()
    assert page.count("\n| 20") == 5 and "![Refits beside updates](drift.png)" in page
    assert (run / "drift.png").is_file()
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test/ndcg@10_low"] <= metrics["test/ndcg@10"] <= metrics["test/ndcg@10_high"]


def test_an_update_equals_a_refit_where_that_is_promised(scripts):
    write_days(scripts.directory, 2)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=ease").run
    run = update(scripts, update(scripts, run, 1), 2)
    data = json.loads((run / "run.json").read_text())["data_directory"]
    whole = scripts("train", "data=prepared", f"data.directory={data}", *SPLIT, *PLAIN, "model=ease").run
    assert (run / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert json.loads((run / "metrics.json").read_text()) == json.loads((whole / "metrics.json").read_text())


def test_networks_go_on_from_their_weights(scripts):
    write_days(scripts.directory, 1)
    quick = ["model=mf", "model.embedding_dim=8", "trainer.max_epochs=4", "training.optimizer.lr=0.05"]
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, *quick).run
    before = open_run(run).model.state_dict()["item_vectors.weight"]
    finished = scripts("update", f"run={run}", "interactions=day1.csv", "replay=0.5", "new_rows=mean")
    assert finished.status == 0, finished.err
    assert "MF went on from its weights for 1 epoch on the new interactions and 50% of the others: " in finished.out
    after = open_run(finished.run).model.state_dict()["item_vectors.weight"]
    moved = (after[: len(before)] - before).norm() / before.norm()
    assert len(after) == len(before) + 1 and 0 < moved < 0.9


def test_validation_tells_which_of_two_ways_to_go_on_is_kept(scripts):
    write_days(scripts.directory, 2)
    quick = ["model=mf", "model.embedding_dim=8", "trainer.max_epochs=4", "training.optimizer.lr=0.05"]
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, *quick).run
    ways = "the new interactions", "the new interactions and 33% of the others"
    for day in (1, 2):  # the second one goes on from the checkpoint that the first one kept
        finished = scripts("update", f"run={run}", f"interactions=day{day}.csv")
        assert finished.status == 0, finished.err
        run = finished.run
        assert [f"going on, on {way}" in finished.out.splitlines() for way in ways] == [True, True]
        assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["best.ckpt", "fit.json", "last.ckpt"]
        kept = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"][
            "network.item_vectors.weight"
        ]
        assert torch.equal(open_run(run).model.state_dict()["item_vectors.weight"], kept)
        how = json.loads((run / "run.json").read_text())["update"]["how"]
        found = re.fullmatch(
            r"MF went on from its weights for 1 epoch on (.+) \(valid/ndcg@10 ([\d.]+); ([\d.]+) on (.+)\)", how
        )
        assert found is not None, how
        assert {found[1], found[4]} == set(ways)
        values = {found[1]: float(found[2]), found[4]: float(found[3])}
        assert (found[1] == ways[0]) == (values[ways[0]] > values[ways[1]] * 1.02)


def test_the_same_update_is_found_and_the_same_rows_are_not_appended_twice(scripts):
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity").run
    content = (run / "run.json").read_bytes()
    first = update(scripts, run, 1)
    again = scripts("update", f"run={run}", "interactions=day1.csv")
    assert "this update was made before" in again.out and again.run == first
    assert (run / "run.json").read_bytes() == content
    refused = scripts("update", f"run={first}", "interactions=day1.csv")
    assert refused.status == 2 and "day1.csv is part of the data already (generation 1" in refused.err


def test_a_model_without_an_update_says_so_and_is_fitted_anew(scripts):
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=rp3beta").run
    finished = scripts("update", f"run={run}", "interactions=day1.csv")
    assert " has no update and was fitted anew" in finished.out
    assert json.loads((finished.run / "run.json").read_text())["update"]["since_refit"] == 0


def test_the_refit_is_taken_where_updates_have_fallen_behind(scripts, monkeypatch):
    """An update that learns nothing: of a model whose solver is left out."""
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=ials", "model.embedding_dim=8").run

    def forget(self, interactions, earlier):
        self.item_vectors.normal_()
        return {}

    monkeypatch.setattr("recsys.models.ials.IALS.update", forget)
    finished = scripts("update", f"run={run}", "interactions=day1.csv", "drift.every=1")
    assert finished.status == 0, finished.err
    assert "the refit is taken" in finished.out
    record = json.loads((finished.run / "run.json").read_text())["update"]
    assert record["since_refit"] == 0 and record["drift"]["low"] > 0
    assert not (finished.run / "statistics.safetensors").exists()


def test_after_a_refit_is_taken_the_next_update_goes_on_from_its_optimiser(scripts):
    write_days(scripts.directory, 1)
    quick = ["model=mf", "model.embedding_dim=8", "trainer.max_epochs=8", "training.optimizer.lr=0.05"]
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, *quick).run
    forgotten = ["replay=0", "shrink=1", "optimizer=reset", "drift.every=1", "drift.confidence=0.5"]
    finished = scripts("update", f"run={run}", "interactions=day1.csv", *forgotten)
    assert "the refit is taken" in finished.out, finished.out + finished.err
    assert not (finished.run / "refit").exists()
    kept = torch.load(finished.run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    now = open_run(finished.run).model.state_dict()
    assert torch.equal(kept["network.item_vectors.weight"], now["item_vectors.weight"])


def left(directory: Path) -> set[str]:
    """All files and directories."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@pytest.mark.parametrize(
    ("trained", "updated", "message"),
    [
        (["split=random_ratio"], [], "A split that stays put is required to update a run, but RandomRatio holds out"),
        (SPLIT, ["drift.metric=foo"], "drift.metric must be one of precision@10"),
        (SPLIT, ["drift.every=1", "drift.metric=ndcg"], "or one of them at another cut-off, but is ndcg."),
        (["split=hash", "split.valid_ratio=0"], ["drift.every=1"], "this run holds none out"),
        ([*SPLIT, "refit=true"], ["drift.every=1"], "this run holds none out"),
        (["split=none"], ["drift.every=1"], "this run holds none out"),
        (SPLIT, ["accelerator=foo"], "error: accelerator must be auto, cpu or gpu"),
    ],
)
def test_what_the_settings_rule_out_is_refused_before_anything_is_read(scripts, trained, updated, message):
    write_days(scripts.directory, 0)
    run = scripts.trained(*TABLE, *PLAIN, "model=popularity", *trained)
    data = Path(json.loads((scripts.directory / run / "run.json").read_text())["data_directory"])
    data.rename(data.with_name("elsewhere"))
    before = left(scripts.directory)
    refused = scripts("update", f"run={run}", "interactions=not_there.csv", *updated)
    assert refused.status == 2 and message in refused.err, refused.err
    assert left(scripts.directory) == before


def test_a_row_that_moves_is_refused_and_the_appended_data_are_gone(scripts):
    """The first row of each user is trained on; where a repeat takes its place, the next one is the first."""
    write_days(scripts.directory, 0)
    header, *rows = (scripts.directory / "day0.csv").read_text().splitlines()
    firsts = {row.partition(",")[0]: row for row in reversed(rows)}.values()
    again = [row.rpartition(",")[0] + ",9" for row in firsts]
    (scripts.directory / "day1.csv").write_text("\n".join([header, *again]))
    (scripts.directory / "day2.csv").write_text(f"{header}\nu00,new,9")
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity", "split.min_train=1").run
    before = left(scripts.directory)
    refused = scripts("update", f"run={run}", "interactions=day1.csv")
    assert refused.status == 2 and "HashSplit would train on" in refused.err and "split.min_train=0" in refused.err
    assert left(scripts.directory) == before
    update(scripts, run, 2)


def test_what_is_trained_on_everything_goes_on_with_everything(scripts):
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *PLAIN, "model=ease", "split=none").run
    after = update(scripts, run, 1)
    manifest = json.loads((after / "run.json").read_text())
    assert manifest["trained_on"] == "all interactions" and json.loads((after / "metrics.json").read_text()) == {}


def test_an_update_whose_data_are_gone_says_from_where_to_make_it_again(scripts):
    write_days(scripts.directory, 2)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity").run
    first = update(scripts, run, 1)
    shutil.rmtree(json.loads((first / "run.json").read_text())["data_directory"])
    refused = scripts("update", f"run={first}", "interactions=day2.csv")
    assert refused.status == 2 and "Put them back, or make the update again from" in refused.err
    assert update(scripts, run, 2).is_dir()


def test_columns_of_other_names_are_named_as_the_command_takes_them(scripts):
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity").run
    text = (scripts.directory / "day1.csv").read_text().replace("who", "customer")
    (scripts.directory / "day1.csv").write_text(text)
    refused = scripts("update", f"run={run}", "interactions=day1.csv")
    assert refused.status == 2 and "Say which column it is with columns.user=customer." in refused.err
    update(scripts, run, 1, "columns.user=customer")


def test_a_killed_update_is_made_by_the_same_command(scripts):
    """A process of its own, which is killed once it has a run directory."""
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=ials", "model.iterations=2").run
    runs, script = scripts.directory / "runs", Path(__file__).parents[2] / "scripts" / "update.py"
    command = [sys.executable, str(script), f"run={run}", "interactions=day1.csv"]
    with subprocess.Popen(command, cwd=scripts.directory, stdout=subprocess.DEVNULL) as process:
        while not list(runs.glob("*/.update")) and process.poll() is None:
            time.sleep(0.005)
        process.kill()
    assert len(list(runs.iterdir())) >= 2 and process.returncode != 0
    (killed,) = (mark.parent for mark in runs.glob("*/.update"))
    for refused in (scripts("train", f"resume={killed}"), scripts("recommend", f"run={killed}", "user=u00")):
        assert refused.status == 2 and "is an update that was not finished. Make it with the same" in refused.err
    made = update(scripts, run, 1)
    assert {path.name for path in runs.iterdir() if path.is_dir()} == {run.name, made.name}
    assert open_run(made).manifest.parent == str((scripts.directory / run).absolute())


def test_an_interrupted_update_leaves_all_as_it_was(scripts, monkeypatch):
    write_days(scripts.directory, 1)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity").run
    data = json.loads((run / "run.json").read_text())["data_directory"]

    def interrupted(*arguments, **further):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.runs.updating.update_run.measure", interrupted)
        assert scripts("update", f"run={run}", "interactions=day1.csv").status == 130
    assert [path.name for path in (scripts.directory / "runs").iterdir() if path.is_dir()] == [run.name]
    open_prepared(Path(data), verify=True)
    assert open_run(update(scripts, run, 1)).manifest.parent == str((scripts.directory / run).absolute())


def numbered(text: str) -> str:
    """Users by whole numbers in place of their names."""
    header, _, rows = text.partition("\n")
    return f"{header}\n{rows.replace('u', '1')}\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.replace(",1\n", ",soon\n"), "column 'at' must hold seconds since 1970 or dates"),
        (lambda rows: rows.replace(",i", ".0,i"), "Without '.0' at the end of ids"),
        (lambda rows: rows[:-4], "each row must have 3 fields"),
        (lambda rows: rows.replace("\n1", "\n", 1)[3:], "come without user_id"),
        (lambda rows: "", "has a header but no rows"),
    ],
)
def test_wrong_rows_are_refused_and_leave_nothing(scripts, change, message):
    write_days(scripts.directory, 1)
    for day in (0, 1):
        path = scripts.directory / f"day{day}.csv"
        path.write_text(numbered(path.read_text()))
    right = (scripts.directory / "day1.csv").read_text()
    run = scripts.trained(*TABLE, *SPLIT, *PLAIN, "model=popularity")
    header, _, rows = right.partition("\n")
    (scripts.directory / "day1.csv").write_text(f"{header}\n{change(rows)}")
    before = left(scripts.directory)
    refused = scripts("update", f"run={run}", "interactions=day1.csv")
    assert refused.status == 2 and message in refused.err, refused.err
    assert left(scripts.directory) == before
    (scripts.directory / "day1.csv").write_text(right)
    update(scripts, run, 1)


def test_warnings_about_new_rows_are_told_each_time_and_only_once(scripts):
    write_days(scripts.directory, 2)
    run = scripts("train", *TABLE, *SPLIT, *PLAIN, "model=popularity").run
    (scripts.directory / "day1.csv").write_text(
        "who,item_id,at\n" + "\n".join(f"n{number},i00,1" for number in range(6)) + "\n"
    )
    first = scripts("update", f"run={run}", "interactions=day1.csv")
    assert first.err.count("warning: 0 of the 6 users of the new interactions are known so far") == 1
    second = scripts("update", f"run={first.run}", "interactions=day2.csv")
    assert second.status == 0 and "warning" not in second.err
