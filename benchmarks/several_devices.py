"""Trains on one, two and four processes over gloo, and compares what comes out; kills one and goes on.

    python benchmarks/several_devices.py --data DIR --output benchmarks/results/several_devices.md

``--data`` is MovieLens' small set (its archive's directory). Each training is a command of its own, as a user types it.
Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from counted.ranks import bytes_given_per_step
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.model_fitting import ModelFitter

TRAIN = Path(__file__).parents[1] / "scripts" / "train.py"

_TWO_TOWER = ["model=two_tower", "model.dropout=0", "model.id_dropout=0", "training/next_item_loss=full_softmax"]

#: What is trained on every number of processes; dropout is left out, as each rank draws its own.
MODELS = {
    "mf": ["model=mf"],
    "mf, 64-bit": ["model=mf", "trainer.precision=64-true"],
    "neumf": ["model=neumf", "model.dropout=0"],
    "neumf, 64-bit": ["model=neumf", "model.dropout=0", "trainer.precision=64-true"],
    "two_tower": _TWO_TOWER,
    "two_tower, 64-bit": [*_TWO_TOWER, "trainer.precision=64-true"],
    "ease": ["model=ease"],
    "item_knn": ["model=item_knn"],
    "ials": ["model=ials"],
}

#: Trained with tables in rows over the ranks too, and what is behind their names then.
SHARDED, IN_ROWS = ("mf", "neumf"), ", in rows"

#: Trained in one process from weights that are each a last bit away, up or down: how far rounding alone may lead.
ROUNDED, LAST_BIT = ("mf", "neumf"), ", a last bit away"


class Trainings:
    """Runs trainings of the data in one directory.

    Args:
        data: MovieLens' small set.
        directory: of runs and prepared data.
        epochs: of each training.
    """

    def __init__(self, data: Path, directory: Path, epochs: int) -> None:
        self.directory = directory
        self.settings = [
            "data=movielens_latest_small",
            f"data.root={data.resolve()}",
            f"paths.prepared_dir={directory / 'prepared'}",
            f"paths.runs_dir={directory / 'runs'}",
            f"trainer.max_epochs={epochs}",
            "preparation.min_item_interactions=100",  # so that validation takes seconds
            *("tracking=none", "show_users=0", "trainer.accelerator=cpu", "evaluation.bootstrap_samples=20"),
        ]

    def command(self, *settings: str) -> list[str]:
        """The command line of a training."""
        return [sys.executable, str(TRAIN), *self.settings, *settings]

    def run(self, *settings: str) -> tuple[Path, str]:
        """Train; returns the run directory and what was printed."""
        done = subprocess.run(self.command(*settings), capture_output=True, text=True)
        return self._run_of(done)

    def torchrun(self, count: int, *settings: str) -> tuple[Path, str]:
        """Train by torchrun."""
        launcher = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}"]
        return self._run_of(subprocess.run([*launcher, *self.command(*settings)[1:]], capture_output=True, text=True))

    def resumed(self, run: Path, *settings: str) -> tuple[Path, str]:
        """Go on with a run."""
        line = [sys.executable, str(TRAIN), f"resume={run}", *settings]
        return self._run_of(subprocess.run(line, capture_output=True, text=True))

    @staticmethod
    def _run_of(done: subprocess.CompletedProcess[str]) -> tuple[Path, str]:
        found = re.search(r"^run: (.*)$", done.stdout, re.MULTILINE)
        if done.returncode or found is None:
            raise SystemExit(f"a training failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return Path(found[1]), done.stdout

    def killed(self, victim: int, *settings: str) -> tuple[Path, str, float]:
        """Train, kill a rank in the third epoch; returns the run, the message, and the seconds until all had ended."""
        process = subprocess.Popen(self.command(*settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if re.match(r"epoch +2/", line):
                break
        ranks = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _parent(entry) == process.pid and _rank(entry) == victim
        ]
        os.kill(ranks[0], signal.SIGKILL)
        begin = time.monotonic()
        _, errors = process.communicate()
        seconds = time.monotonic() - begin
        found = re.search(r"resume=(\S+)", errors)
        if found is None or "Traceback" in errors:
            raise SystemExit(f"no clear message:\n{errors}")
        return Path(found[1]), errors.strip(), seconds


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _rank(entry: Path) -> int:
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return -1
    return next((int(value.partition(b"=")[2]) for value in variables if value.startswith(b"RANK=")), -1)


def fits_of(count: int, settings: Sequence[str], names: Sequence[str], directory: Path) -> dict[str, Any]:
    """What each model is after it was fitted by so many processes: metrics of each epoch, and where its weights are.

    Args:
        count: of processes.
        settings: of the command ``train``, for all.
        names: of :data:`MODELS`; with ``, in rows`` behind one the tables are divided, with ``, a last bit away`` it
            begins there.
        directory: of checkpoints and weights.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    output = directory / f"{count}.json"
    asked = json.dumps({"settings": list(settings), "names": list(names), "directory": str(directory / str(count))})
    processes = []
    for rank in range(count):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
        variables = {name: str(value) for name, value in place.items()} if count > 1 else {}
        line = [sys.executable, __file__, "--fit", asked, "--output", str(output)]
        processes.append(subprocess.Popen(line, env={**os.environ, "MASTER_ADDR": "127.0.0.1", **variables}))
    if any([process.wait() for process in processes]):
        raise SystemExit(f"{count} processes have failed.")
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def fit_all(settings: Sequence[str], names: Sequence[str], directory: Path, output: Path) -> None:
    """Fit models as one of the processes, or alone; rank 0 writes what :func:`fits_of` gives."""
    from recsys.distributed.process_group import joined, main_first
    from recsys.distributed.ranks import ranks, ranks_of

    with joined(ranks_of(), "cpu"):
        found = {}
        for name in names:
            own = [
                *MODELS[name.removesuffix(IN_ROWS).removesuffix(LAST_BIT)],
                f"trainer.shard_embeddings={str(name.endswith(IN_ROWS)).lower()}",
            ]
            config = compose_config("train", [*settings, *own, f"trainer.devices={ranks().size}"])
            with main_first():
                prepared = build_data(config)
            model = build_model(config.model, config.seed, prepared)
            if name.endswith(LAST_BIT):
                change_last_bits(model)
            view = build_view(config, prepared, model)
            split = build_split(config, view.interactions)
            lines: list[str] = []
            fitter = ModelFitter(config, view, split, directory / name, lines.append, progress_bar=False)
            report = fitter.fit(model)
            epochs = [{key: value for key, value in epoch.items() if "valid/" in key} for epoch in report.epochs]
            held = next((line for line in lines if "keeps of them" in line), "")
            found[name] = {"epochs": epochs, "held": held.partition(": ")[2], "weights": str(directory / f"{name}.pt")}
            if ranks().is_main:
                torch.save(model.state_dict(), directory / f"{name}.pt")
        if ranks().is_main:
            output.write_text(json.dumps(found))


@torch.no_grad()
def change_last_bits(network: torch.nn.Module) -> None:
    """Replace every weight by the number before or after it."""
    generator = torch.Generator().manual_seed(1)
    for weight in network.parameters():
        up = torch.rand(weight.shape, generator=generator) < 0.5
        weight.copy_(weight.nextafter(torch.where(up, torch.inf, -torch.inf).to(weight)))


def difference(one: Any, other: Any) -> str:
    """How far two fits are apart, in words."""
    first, second = (torch.load(each["weights"]) for each in (one, other))
    weights = max(
        (float((first[key].double() - second[key].double()).abs().max()) for key in first if first[key].numel()),
        default=0.0,
    )
    told = "weights: the same bits" if weights == 0 else f"weights: {weights:.0e} apart"
    if not one["epochs"]:
        return told
    pairs = [
        (value, after[key])
        for before, after in zip(one["epochs"], other["epochs"], strict=True)
        for key, value in before.items()
    ]
    largest, same = max(abs(a - b) for a, b in pairs), sum(a == b for a, b in pairs)
    apart = f", {largest:.0e} apart" if largest else ""
    return f"metrics: {same} of {len(pairs)} the same{apart}; {told}"


def run_difference(one: Path, other: Path) -> str:
    """How far the test metrics of two runs are apart, in words."""
    first, second = (json.loads((run / "metrics.json").read_text()) for run in (one, other))
    pairs = [(first[key], second[key]) for key in first if first[key] is not None]
    same = sum(a == b for a, b in pairs)
    return f"{'all' if same == len(pairs) else same} of {len(pairs)} test metrics the same"


def faults(trainings: Trainings) -> list[str]:
    """Rows of the table of killed and resumed trainings."""
    settings = [*MODELS["mf"], "trainer.devices=2"]
    whole, _ = trainings.run(*settings)
    rows = []
    for victim, went_on in ((0, ["trainer.devices=2"]), (1, ["trainer.devices=1"])):
        run, message, seconds = trainings.killed(victim, *settings)
        print(message, flush=True)
        _, _ = trainings.resumed(run, *went_on)
        rows.append(
            f"| rank {victim} of 2 is killed | one message after {seconds:.1f} s "
            f"| {went_on[0]}: {run_difference(whole, run)} |"
        )
        print(rows[-1], flush=True)
    run, _ = trainings.torchrun(2, *MODELS["mf"])
    rows.append(f"| started by torchrun | | {run_difference(whole, run)} |")
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit is not None:
        asked = json.loads(options.fit)
        Path(asked["directory"]).mkdir(parents=True, exist_ok=True)
        fit_all(asked["settings"], asked["names"], Path(asked["directory"]), options.output)
        return
    traffic = [
        f"| {model} | {whole / 1e6:.1f} | {bytes_given_per_step(model) / 1e6:.2f} |"
        for model in ("mf", "neumf")
        for whole in [bytes_given_per_step(model, by_rows=False)]
    ]
    divided = [name for name in SHARDED if name in options.models]
    with tempfile.TemporaryDirectory() as directory:
        trainings = Trainings(options.data, Path(directory), options.epochs)
        names = [*options.models, *(f"{name}{IN_ROWS}" for name in divided)]
        rounded = [name for name in ROUNDED if name in options.models]
        fits = {count: fits_of(count, trainings.settings, names, Path(directory)) for count in options.processes}
        names += [f"{name}{LAST_BIT}" for name in rounded]
        fits[1] = fits_of(1, trainings.settings, names, Path(directory))
        chance = [f"| {name} | {difference(fits[1][name], fits[1][name + LAST_BIT])} |" for name in rounded]
        trained = [
            f"| {name} | {' | '.join(difference(fits[1][name], fits[count][name]) for count in options.processes)} |"
            for name in options.models
        ]
        in_rows = [
            f"| {name} | {count} | {difference(fits[1][name + IN_ROWS], fits[count][name + IN_ROWS])} "
            f"| {fits[count][name + IN_ROWS]['held']} |"
            for name in divided
            for count in options.processes
        ]
        print("\n".join([*trained, *chance, *in_rows]), flush=True)
        killed = faults(trainings)
    heads = " | ".join(f"{count} processes" for count in options.processes)
    text = "\n".join(
        [
            "# Several devices\n",
            "`python benchmarks/several_devices.py --data DIR`, MovieLens' small set, items with 100 ratings, gloo,",
            f"{options.epochs} epochs; validation metrics of each epoch and the weights in the end are compared with",
            "those of one process.\n",
            f"| model | {heads} |\n|---|{'---|' * len(options.processes)}",
            *trained,
            "\nHow far rounding alone may lead: one process whose weights all begin a last bit away, beside one:\n",
            "| model | |\n|---|---|",
            *chance,
            "\nTables in rows over the ranks, beside one process (MB: of each rank, with what Adam keeps of them):\n",
            "| model | processes | metrics | MB |\n|---|---|---|---|",
            *in_rows,
            "\nFaults, beside a training that was not interrupted:\n",
            "| | | and gone on with |\n|---|---|---|",
            *killed,
            "\nMB that a rank of two gives to collectives in a step, at the size of MovieLens 20M:\n",
            "| model | whole tables | touched rows |\n|---|---|---|",
            *traffic,
            "",
        ]
    )
    print(text)
    write_results(text, options.output)


if __name__ == "__main__":
    main()
