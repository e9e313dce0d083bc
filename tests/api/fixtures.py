"""A board as a data set, split, with a model that was fitted on it, and a bundle of the model: made once."""

from __future__ import annotations

import pytest

import recsys
from tests.api import board


@pytest.fixture(scope="session")
def data() -> recsys.Dataset:
    return recsys.Dataset.from_pandas(board.interactions(), items=board.items(), name="board")


@pytest.fixture(scope="session")
def split(data):
    return data.split("leave_last_out")


@pytest.fixture(scope="session")
def model(split):
    """A fitted EASE, which no test changes."""
    return recsys.EASE(l2=1.0).fit(split.train)


@pytest.fixture(scope="session")
def bundle_path(model, tmp_path_factory):
    """A bundle of the model, which no test changes."""
    return model.export(tmp_path_factory.mktemp("bundles") / "board", num_neighbours=5)
