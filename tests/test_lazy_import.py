"""``import recsys`` imports nothing that takes time; what is used is imported when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import recsys
from recsys.cli.model_choices import model_choices

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "pandas",
    "numpy",
    "pyarrow",
    "pytorch_lightning",
    "hydra",
    "omegaconf",
    "matplotlib",
    "mlflow",
    "rich",
)


def test_the_import_brings_no_library():
    code = f"import recsys, sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert finished.stdout.strip() == ""


def test_names_are_listed_without_torch():
    code = "import recsys, sys; print(*dir(recsys)); sys.exit('torch' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"Dataset", "evaluate", "load_run", "load_bundle", "EASE", "__version__"} <= set(finished.stdout.split())


@pytest.mark.parametrize("name", [*model_choices(), "Dataset", "DataSplit", "evaluate", "load_run", "load_bundle"])
def test_every_name_is_there(name):
    assert getattr(recsys, name) is getattr(recsys, name)
    assert name in dir(recsys)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="module 'recsys' has no attribute 'Ease'"):
        recsys.Ease  # noqa: B018
    with pytest.raises(ImportError):
        from recsys import nothing  # noqa: F401


def test_static_tools_know_the_names(tmp_path):
    """mypy sees what is imported lazily, with the settings of each model."""
    (tmp_path / "program.py").write_text(
        "import recsys\n"
        "model = recsys.EASE(l2=300.0, recency__step_decay=0.5)\n"
        "reveal_type(model.recommend([1], k=3))\n"
        "reveal_type(recsys.Dataset.movielens_100k().split('temporal').train)\n"
        "recsys.MF(l3=1)\n"
        "recsys.Nothing\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        str(tmp_path / "program.py"),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert 'program.py:3: note: Revealed type is "pandas.core.frame.DataFrame"' in finished.stdout, finished.stdout
    assert 'program.py:4: note: Revealed type is "recsys.api.data_split.SplitPart"' in finished.stdout
    assert 'program.py:5: error: Unexpected keyword argument "l3" for "MF"' in finished.stdout
    assert 'program.py:6: error: Module has no attribute "Nothing"' in finished.stdout
    assert "Found 2 errors in 1 file" in finished.stdout
