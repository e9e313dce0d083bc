"""A recommender framework: from raw ratings to recommendations.

::

    import recsys

    data = recsys.Dataset.from_pandas(interactions, items=None, users=None, columns=None)
    split = data.split("leave_last_out")
    model = recsys.EASE(l2=300).fit(split.train)
    lists = model.recommend(users, k=10)
    report = recsys.evaluate(model, split)

Every model of the framework is there by the name of its class. Nothing is imported until it is used.
``recsys.__version__`` is the version of what is installed or, in a checkout that is not, of its ``pyproject.toml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.api.bundle_model import load_bundle as load_bundle
    from recsys.api.data_split import DataSplit as DataSplit
    from recsys.api.dataset import Dataset as Dataset
    from recsys.api.evaluating import evaluate as evaluate
    from recsys.api.loading import load_run as load_run
    from recsys.api.models import *  # noqa: F403

#: Name of the distribution on a package index, where ``recsys`` is another project.
DISTRIBUTION = "recsys-framework"

#: What is found when it is asked for, and where.
_LAZY = {
    "Dataset": "recsys.api.dataset",
    "DataSplit": "recsys.api.data_split",
    "evaluate": "recsys.api.evaluating",
    "load_run": "recsys.api.loading",
    "load_bundle": "recsys.api.bundle_model",
}

__version__: str

if not TYPE_CHECKING:  # which would take every name for one of this module

    def __getattr__(name: str) -> Any:
        """What is looked up when it is asked for first: reading metadata or models takes longer than the import."""
        if name == "__version__":
            found = _find_version()
        elif name in _LAZY:
            found = getattr(_module(_LAZY[name]), name)
        elif name.startswith("_") or name not in _model_names():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        else:
            found = getattr(_module("recsys.api.models"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY, *_model_names(), "__version__"})


def _module(name: str) -> Any:
    from importlib import import_module

    return import_module(name)


def _model_names() -> tuple[str, ...]:
    """Names of the classes of the models, read from their configurations."""
    return tuple(_module("recsys.cli.model_choices").model_choices())


def _find_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return _version_of_checkout()


def _version_of_checkout() -> str:
    """What ``pyproject.toml`` beside the package says; ``0+unknown`` where there is none."""
    import tomllib
    from pathlib import Path

    try:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return "0+unknown"
    return str(project["version"]) if project.get("name") == DISTRIBUTION else "0+unknown"
