"""The library tea-tasting, imported when it is first needed: importing it takes seconds."""

from __future__ import annotations

import importlib
from typing import Any

from recsys.errors import ExperimentError


def tea_tasting() -> Any:
    """The library; releases 1.14 and 2.x are used in the same way.

    Raises:
        ExperimentError: it is not installed.
    """
    try:
        return importlib.import_module("tea_tasting")
    except ModuleNotFoundError as error:
        if error.name != "tea_tasting":
            raise
        raise ExperimentError(
            "the analysis with a fixed number of units needs tea-tasting, which is not installed: "
            "pip install 'recsys-framework[experiments]'"
        ) from None
