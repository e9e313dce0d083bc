"""A recommender framework: from raw ratings to recommendations.

``recsys.__version__`` is the version of what is installed or, in a checkout that is not, of its ``pyproject.toml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

#: Name of the distribution on a package index, where ``recsys`` is another project.
DISTRIBUTION = "recsys-framework"

__version__: str

if not TYPE_CHECKING:  # which would take every name for one of this module

    def __getattr__(name: str) -> str:
        """``__version__``, looked up when it is asked for first: reading metadata takes longer than the import."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = _find_version()
        return globals()[name]


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
