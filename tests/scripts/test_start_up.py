"""What commands import before their work begins: no library that the work does not need, as some take seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.running import SCRIPTS

#: Each takes from a third of a second to two seconds.
LIGHTNING = ("pytorch_lightning", "lightning_fabric", "torchmetrics", "torch._dynamo")
HEAVY = (*LIGHTNING, "mlflow", "matplotlib", "scipy", "pandas", "sklearn", "onnxruntime", "optuna")
NUMERIC = ("torch", "numpy", "pyarrow")

#: Runs commands one after the other and prints which of some modules are there in the end.
PROGRAM = """
import runpy, sys
from hydra.core.global_hydra import GlobalHydra
modules, commands = sys.argv[1].split(), sys.argv[2:]
for command in commands:
    sys.argv = command.split()
    GlobalHydra.instance().clear()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        print("status:", end.code, file=sys.__stdout__)
print("imported:", *[name for name in modules if name in sys.modules], file=sys.__stdout__)
"""


#: Ends commands at the first line that they print; until there, a user sees nothing.
UNTIL_THE_FIRST_LINE = """
class FirstLine:
    def __init__(self, stream):
        self.stream = stream
    def write(self, text):
        self.stream.write(text)
        if text.strip():
            raise SystemExit("first line")
    def __getattr__(self, name):
        return getattr(self.stream, name)
sys.stdout = FirstLine(sys.stdout)
"""


def imported(
    modules: tuple[str, ...], commands: list[str], directory: Path, until_the_first_line: bool = False
) -> tuple[list[str], str]:
    """Which of ``modules`` one process has after ``commands``, and all that it printed."""
    text = PROGRAM.replace("modules, commands", f"{UNTIL_THE_FIRST_LINE * until_the_first_line}\nmodules, commands")
    program = [sys.executable, "-c", text, " ".join(modules), *(f"{SCRIPTS}/{command}" for command in commands)]
    finished = subprocess.run(program, capture_output=True, text=True, check=True, cwd=directory)
    last = finished.stdout.splitlines()[-1]
    assert last.startswith("imported:"), finished.stdout + finished.stderr
    return last.split()[1:], finished.stdout + finished.stderr


@pytest.fixture(name="run", scope="module")
def run_fixture(tmp_path_factory):
    """A process that has trained EASE: what it had imported, and its run directory."""
    directory = tmp_path_factory.mktemp("start_up")
    small = "data.num_users=60 data.num_items=100 data.num_interactions=600 evaluation.bootstrap_samples=10"
    command = f"train.py model=ease data=synthetic tracking=none show_users=1 trainer.accelerator=cpu {small}"
    found, printed = imported(HEAVY, [command], directory)
    path = next(line.removeprefix("run: ") for line in printed.splitlines() if line.startswith("run: "))
    return found, directory / path


def test_a_model_that_is_fitted_at_once_needs_no_lightning(run):
    """pandas comes with the first column that Arrow hands to NumPy, SciPy's matrices with the rows of the users."""
    assert run[0] == ["scipy", "pandas"]


def test_the_first_line_of_a_training_comes_before_lightning(tmp_path):
    """Also where settings of its training are changed; what is wrong with them is told all the same."""
    small = "data=synthetic data.num_users=60 data.num_items=100 data.num_interactions=600 trainer.accelerator=cpu"
    settings = [
        "model=mf trainer.max_epochs=2 training.l2=0.1",
        "model=mf training=full_catalogue fitting.patience=3",
        "model=neumf pretraining={gmf:{training:{batch_size:64}},mlp:{}} training.negative_sampler.num_negatives=2",
        "model=two_tower training.batch_size=64",
        "model=hybrid",
    ]
    commands = [f"train.py {setting} {small}" for setting in settings]
    found, printed = imported(HEAVY, commands, tmp_path, until_the_first_line=True)
    assert found == ["scipy", "pandas"]
    assert printed.count("status: first line") == len(settings)
    assert "error" not in printed


def test_a_list_of_a_run_needs_what_models_need(run):
    found, printed = imported(HEAVY, [f"recommend.py run={run[1]} user=u1"], run[1])
    assert found == ["scipy", "pandas"]
    assert "For user u1" in printed


def test_a_wrong_setting_is_told_without_lightning(tmp_path):
    settings = [
        "model=mf model.embedding_dim=abc",
        "model=mf training.batch_size=abc",
        "model=two_tower training.next_item_loss.label_smoothing=abc",
        "model=neumf fitting.patience=abc",
        "model=ease trainer.max_epochs=abc",
        "modle=mf",
    ]
    found, printed = imported(HEAVY, [f"train.py {setting}" for setting in settings], tmp_path)
    assert found == []
    assert printed.count("error: ") == printed.count("status: 2") == len(settings)


def test_help_of_commands_that_train_needs_the_models_alone(tmp_path):
    """The choices of models are made from their classes."""
    commands = [f"{name}.py --help" for name in ("train", "tune", "simulate_elicitation")]
    found, printed = imported(HEAVY, commands, tmp_path)
    assert found == []
    assert printed.count("Use --hydra-help") == len(commands)


def test_help_of_the_others_needs_no_library_that_computes(tmp_path):
    commands = [f"{name}.py --help" for name in ("compare", "evaluate_pipeline", "export", "recommend")]
    found, printed = imported((*HEAVY, *NUMERIC), commands, tmp_path)
    assert found == []
    assert printed.count("Use --hydra-help") == len(commands)
