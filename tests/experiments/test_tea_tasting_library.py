import subprocess
import sys

import pytest

from recsys.errors import ExperimentError
from recsys.experiments import tea_tasting_library


def test_the_library_is_not_imported_before_it_is_needed():
    code = (
        "import sys, recsys.experiments.analysis, recsys.experiments.power; "
        "sys.exit('tea_tasting' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tea_tasting", None)
    with pytest.raises(ExperimentError, match=r"pip install 'recsys-framework\[experiments\]'"):
        tea_tasting_library.tea_tasting()


def test_another_missing_module_is_no_missing_library(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError(name="narwhals")

    monkeypatch.setattr(tea_tasting_library.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        tea_tasting_library.tea_tasting()
