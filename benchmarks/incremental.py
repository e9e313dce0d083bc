"""Daily updates against a full refit each day: ``python benchmarks/incremental.py --scale 0.1 --model ials``.

Makes interactions of the size of MovieLens 20M (138,000 users, 27,000 items, 20 million) times ``--scale``, of which
the last 30 of 300 days come one by one, with new users and new items; or spreads those of a table over the days
(``--interactions beauty.parquet``). Each day is appended and the model is updated; beside it (``--refit-every=3``: on
each third day) the same model is fitted anew on all interactions so far, and both are measured on the same validation
users. It is checked that no index moves and that nothing that was held out for test is trained on. Seconds are of the
processor.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from recsys.data.feedback_view import FeedbackView
    from recsys.data.interactions import Interactions
    from recsys.data.split import Split
    from recsys.runs.trained_run import TrainedRun

DAYS, BASE_DAYS = 30, 270
USERS, ITEMS, ROWS = 138_000, 27_000, 20_000_000
#: Of users with the same taste, at the size of MovieLens 20M; a smaller scale has fewer, so that as many interactions
#: tell of the taste of a group for an item.
GROUPS = 60
#: Settings of each model beside the defaults of ``scripts/train.py``; the learning rate of MF was chosen on validation.
SETTINGS = {
    "ials": ["model.embedding_dim=64"],
    "mf": ["model.embedding_dim=32", "trainer.max_epochs=30", "fitting.patience=5", "training.optimizer.lr=0.002"],
    "neumf": ["model.embedding_dim=16", "trainer.max_epochs=15", "fitting.patience=3"],
    "two_tower": ["training.order=random", "trainer.max_epochs=30", "fitting.patience=4"],
}


@dataclass(frozen=True)
class Day:
    """What one day showed; times in seconds of the processor."""

    append: float
    update: float
    refit: float
    prepare: float
    updated: float
    refitted: float
    difference: float
    low: float
    high: float
    rows: int
    new_users: int
    new_items: int


def made_days(scale: float, directory: Path, seed: int = 0) -> list[Path]:
    """Tables of interactions: one of all days before, and one for each day.

    Users belong to three of some groups, each of which likes its items by a law of Zipf; a third of what they do
    follows what is popular with all. Users and items appear over time.
    """
    rng = np.random.default_rng(seed)
    users, items, rows = int(USERS * scale), int(ITEMS * scale**0.5), int(ROWS * scale)
    born = np.where(rng.random(items) < 0.9, -1.0, rng.uniform(0, BASE_DAYS + DAYS, items))
    arrives = np.where(rng.random(users) < 0.6, 0.0, rng.uniform(0, BASE_DAYS + DAYS, users))
    activity = rng.lognormal(0, 1.0, users)
    user = np.repeat(np.arange(users), np.maximum(rng.poisson(1.8 * rows * activity / activity.sum()), 5))
    when = rng.uniform(arrives[user], BASE_DAYS + DAYS)
    groups = max(int(GROUPS * scale**0.5), 3)
    tastes = rng.integers(groups, size=(users, 3))
    group = tastes[user, rng.integers(3, size=len(user))]
    group[rng.random(len(user)) < 1 / 3] = groups
    popularity = 1 / (1 + rng.permutation(items)) ** 0.8
    item = np.empty(len(user), dtype=np.int64)
    for number in range(groups + 1):
        liked = popularity if number == groups else 1 / (1 + rng.permutation(items)) ** 1.1
        chosen = np.flatnonzero(group == number)
        item[chosen] = np.searchsorted(np.cumsum(liked / liked.sum()), rng.random(len(chosen))).clip(max=items - 1)
    there = born[item] <= when
    user, item, when = user[there], item[there], when[there]
    order = np.argsort(when)
    first = order[np.unique(user[order] * items + item[order], return_index=True)[1]]
    first = first[np.argsort(when[first])]
    return written_days(ids_as_text("u", user[first]), ids_as_text("i", item[first]), when[first], directory)


def spread_days(table: Path, directory: Path, seed: int = 0) -> list[Path]:
    """The interactions of a table over the same days: the order of each user's is kept, the times are made.

    Args:
        table: Parquet with the columns user_id, item_id and timestamp.
        directory: where the tables of days are written.
        seed: of the times.
    """
    rng = np.random.default_rng(seed)
    rows = pq.read_table(table, columns=["user_id", "item_id", "timestamp"])
    rows = rows.sort_by([("user_id", "ascending"), ("timestamp", "ascending")])
    user = rows["user_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    users = int(user.max()) + 1
    arrives = np.where(rng.random(users) < 0.6, 0.0, rng.uniform(0, BASE_DAYS + DAYS, users))
    when = rng.uniform(arrives[user], BASE_DAYS + DAYS)
    when = when[np.lexsort((when, user))]
    order = np.argsort(when)
    rows = rows.take(order)
    return written_days(rows["user_id"], rows["item_id"], when[order], directory)


def written_days(user_ids: pa.Array, item_ids: pa.Array, when: np.ndarray, directory: Path) -> list[Path]:
    """Write interactions, whose times ascend, as one table of all days before and one for each day."""
    timestamp = pa.array((when * 86_400).astype(np.int64))
    table = pa.table({"user_id": user_ids, "item_id": item_ids, "timestamp": timestamp})
    starts = np.searchsorted(when, [0, *range(BASE_DAYS, BASE_DAYS + DAYS + 1)])
    paths = []
    for day, (start, end) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
        paths.append(directory / f"day_{day:02}.parquet")
        pq.write_table(table.slice(start, end - start), paths[-1])
    return paths


def ids_as_text(prefix: str, numbers: np.ndarray) -> pa.Array:
    """Ids as text, such as ``u17``."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def first_run(model: str, table: Path, directory: Path, further: list[str]) -> Path:
    """Train on all days before, as ``scripts/train.py`` does."""
    from recsys.studies.retraining.command_stage import run_command_stage

    arguments = [
        *(f"model={model}", "data=table", f"data.interactions={table}", "data.name=days", "split=hash"),
        *("split.min_train=0", "tracking=none", "show_users=0", "evaluation.max_users=500"),
        *(f"paths.runs_dir={directory / 'runs'}", f"paths.prepared_dir={directory / 'prepared'}"),
        *("evaluation.bootstrap_samples=100", "trainer.accelerator=cpu", *SETTINGS.get(model, []), *further),
    ]
    return run_command_stage("train", arguments, directory / "train.log")


def measured_days(
    model: str,
    days: list[Path],
    directory: Path,
    settings: dict[str, object],
    further: list[str],
    refit_every: int,
    prepare_every: int,
    part: Literal["valid", "test"] = "valid",
) -> list[Day]:
    """Update day by day, with a refit beside each, or beside some."""
    from recsys.data.appending.append import append
    from recsys.data.readers.table import TableReader
    from recsys.evaluation.known_items import ONLY_NEW
    from recsys.runs.assembly import build_model
    from recsys.runs.device import training_device
    from recsys.runs.model_fitting import ModelFitter
    from recsys.runs.trained_run import open_run, split_of_run
    from recsys.runs.updating import update_run
    from recsys.runs.updating.drift import compare_with_refit
    from recsys.runs.updating.new_data import NewData
    from recsys.runs.updating.update_settings import DriftSettings, UpdateSettings

    seconds: dict[str, float] = {}
    unknown = float("nan")
    update_run.fit_from = timed(update_run.fit_from, seconds, "update")
    run = first_run(model, days[0], directory, further)
    earlier = open_run(run)
    view, split = split_of_run(earlier)
    held_out = pairs_of(view.interactions.take(split.test))
    found = []
    for number, day in enumerate(days[1:], 1):
        timed(append, seconds, "append")(earlier.prepared, TableReader(interactions=str(day)))
        new, chosen = NewData(str(day)), UpdateSettings(**settings)
        updated = update_run.RunUpdate(run, new, chosen, {}, lambda line: None, progress_bar=False).update()
        now = open_run(updated.path)
        view, split = split_of_run(now)
        held_out = check_still(earlier, now, held_out, view, split)
        compared = (unknown,) * 5
        seconds["refit"] = unknown
        if number % refit_every == 0:
            refitted = build_model(now.config.model, now.config.seed, now.prepared)
            with tempfile.TemporaryDirectory() as place:
                fitter = ModelFitter(now.config, view, split, Path(place), progress_bar=False)
                timed(fitter.fit, seconds, "refit")(refitted)
            drift = DriftSettings(every=1, max_users=2000)
            device = training_device(now.config)
            check = compare_with_refit(now.model, refitted, view, split, ONLY_NEW, drift, 0.0, device, part)
            compared = (check.updated, check.refitted, check.difference, check.low, check.high)
        prepare = prepared_anew(days[: number + 1], directory) if number % prepare_every == 0 else unknown
        record = updated.record
        assert record is not None, "the directory is new"
        found.append(
            Day(
                *(seconds["append"], seconds["update"], seconds["refit"], prepare, *compared),
                *(record.num_fresh, record.num_new_users, record.num_new_items),
            )
        )
        print(line(number, found[-1]), flush=True)
        shutil.rmtree(run)
        shutil.rmtree(earlier.prepared.directory)
        run, earlier = updated.path, now
    return found


def timed(function: Callable[..., Any], seconds: dict[str, float], name: str) -> Callable[..., Any]:
    """``function``, which notes under ``name`` how many seconds of the processor a call takes."""

    def call(*arguments: Any, **further: Any) -> Any:
        begin = time.process_time()
        result = function(*arguments, **further)
        seconds[name] = time.process_time() - begin
        return result

    return call


def prepared_anew(days: list[Path], directory: Path) -> float:
    """Seconds that a preparation of all days takes."""
    from recsys.data.preparing import Preparation
    from recsys.data.readers.table import TableReader

    so_far, seconds = directory / "so_far", dict[str, float]()
    so_far.mkdir()
    for path in days:
        (so_far / path.name).symlink_to(path)
    timed(Preparation().prepare, seconds, "prepare")(TableReader(interactions=str(so_far)), directory / "whole")
    shutil.rmtree(directory / "whole")
    shutil.rmtree(so_far)
    return seconds["prepare"]


def pairs_of(interactions: Interactions) -> np.ndarray:
    """One number for each pair of a user and an item, the same in every generation."""
    return interactions.user_index.astype(np.int64) << 32 | interactions.item_index


def check_still(
    earlier: TrainedRun, now: TrainedRun, held_out: np.ndarray, view: FeedbackView, split: Split
) -> np.ndarray:
    """Require that no index has moved and that no row that was ever held out for test is trained on.

    Returns:
        The pairs that were ever held out for test.
    """
    for name in ("user_vocabulary", "item_vocabulary"):
        before = getattr(earlier.prepared, name).ids
        if not getattr(now.prepared, name).ids[: len(before)].equals(before):
            raise AssertionError(f"{name}: an index has moved")
    ever = np.union1d(held_out, pairs_of(view.interactions.take(split.test)))
    if is_any_of(pairs_of(view.interactions.take(split.train)), ever):
        raise AssertionError("a row that was held out for test is trained on")
    return ever


def is_any_of(pairs: np.ndarray, known: np.ndarray) -> bool:
    """Whether one of many pairs is one of the known, which ascend: a table of their places leaves few to look up."""
    table = np.zeros(1 << 24, dtype=np.bool_)
    table[known * 0x1E3779B97F4A7C15 >> 40 & 0xFFFFFF] = True
    for start in range(0, len(pairs), 1 << 18):
        part = pairs[start : start + (1 << 18)]
        part = part[table[part * 0x1E3779B97F4A7C15 >> 40 & 0xFFFFFF]]
        if (known[np.searchsorted(known, part).clip(max=len(known) - 1)] == part).any():
            return True
    return False


def line(number: int, day: Day) -> str:
    """One day as a row of a table."""
    new = f"| {number} | {day.rows:,} | {day.new_users} | {day.new_items} | {day.append:.2f} | {day.update:.2f} |"
    if np.isnan(day.refit):
        return f"{new} | | | |"
    return (
        f"{new} {day.refit:.2f} | {day.updated:.4f} | {day.refitted:.4f} | "
        f"{day.difference:+.4f} [{day.low:+.4f}, {day.high:+.4f}] |"
    )


def summary(model: str, days: list[Day], sizes: str) -> str:
    """A row of the table of results."""
    column = {name: np.array([getattr(day, name) for day in days]) for name in Day.__annotations__}
    mean = {name: float(np.nanmean(values)) if np.isfinite(values).any() else 0.0 for name, values in column.items()}
    fits = mean["update"] / mean["refit"]
    whole = (mean["update"] + mean["append"]) / (mean["refit"] + mean["prepare"])
    behind = int((column["low"] > 0).sum())
    ahead = int((column["high"] < 0).sum())
    last = [day for day in days if not np.isnan(day.refit)][-1]
    return (
        f"| {model} | {sizes} | {mean['update']:.2f} | {mean['refit']:.2f} | {fits:.1%} | "
        f"{mean['append']:.2f} | {mean['prepare']:.2f} | **{whole:.1%}** | {mean['updated']:.4f} | "
        f"{mean['refitted']:.4f} | {last.difference:+.4f} [{last.low:+.4f}, {last.high:+.4f}] | "
        f"{behind} / {ahead} |"
    )


DAYS_HEADER = (
    "| day | new training rows | users | items | append s | update s | refit s | ndcg@10 updated | refitted | "
    "refit less update |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)
HEADER = (
    "| model | data | update s | refit s | update / refit | append s | preparation s | with the data | "
    "ndcg@10 updated | refitted | refit less update, last day | days the refit / the update is better |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1, help="share of the size of MovieLens 20M")
    parser.add_argument("--interactions", type=Path, help="Parquet with user_id, item_id and timestamp, instead")
    parser.add_argument("--model", default="ials")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--part", choices=("valid", "test"), default="valid", help="of the split, to measure on")
    parser.add_argument("--refit-every", type=int, default=1, help="days after which the model is fitted anew beside")
    parser.add_argument(
        "--prepare-every", type=int, default=10, help="days after which all data are prepared anew, too"
    )
    parser.add_argument("--set", nargs="*", default=[], help="settings of the update, such as epochs=2 optimizer=kept")
    parser.add_argument("--train", nargs="*", default=[], help="settings of the training, such as model.iterations=8")
    arguments = parser.parse_args()
    settings: dict[str, object] = {}
    for one in arguments.set:
        name, _, text = one.partition("=")
        settings[name] = int(text) if text.isdigit() else float(text) if text.replace(".", "").isdigit() else text
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        table = arguments.interactions
        days = made_days(arguments.scale, directory) if table is None else spread_days(table, directory)
        days = days[: arguments.days + 1]
        rows = sum(pq.ParquetFile(path).metadata.num_rows for path in days)
        print(f"{rows:,} interactions, {pq.ParquetFile(days[0]).metadata.num_rows:,} of them before", flush=True)
        print(DAYS_HEADER, flush=True)
        every = (arguments.refit_every, arguments.prepare_every)
        found = measured_days(arguments.model, days, directory, settings, arguments.train, *every, arguments.part)
    print(f"\n{HEADER}\n{summary(arguments.model, found, f'{rows / 1e6:.1f} M rows')}")


if __name__ == "__main__":
    main()
