from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from recsys_serving.api.lifespan import lifespan_of
from recsys_serving.settings import ServiceSettings


def test_what_was_opened_is_closed_in_the_opposite_order():
    done = []

    def open_parts(stack: ExitStack):
        for name in ("store", "recommender"):
            done.append(f"open {name}")
            stack.callback(done.append, f"close {name}")
        return "parts"

    app = FastAPI(lifespan=lifespan_of(ServiceSettings(), open_parts))
    with TestClient(app):
        assert app.state.parts == "parts"
    assert done == ["open store", "open recommender", "close recommender", "close store"]


def test_what_was_opened_is_closed_where_the_rest_cannot_be():
    done = []

    def open_parts(stack: ExitStack):
        stack.callback(done.append, "closed")
        raise RuntimeError("no bundle")

    app = FastAPI(lifespan=lifespan_of(ServiceSettings(), open_parts))
    with pytest.raises(RuntimeError, match="no bundle"), TestClient(app):
        pass
    assert done == ["closed"]
