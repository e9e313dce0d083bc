"""The script around the stack; that all of it runs is tested with ``recsys_serving.local.stack``."""

from __future__ import annotations

import os

import pytest

from tests.scripts.running import Scripts


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RECSYS_") and name != "RECSYS_CACHE"]:
        monkeypatch.delenv(name)


def test_where_nothing_runs_it_is_said(scripts: Scripts):
    status = scripts("stack", "status")
    assert (status.status, status.out) == (1, "The service does not run.\nThe app does not run.\n")
    stopped = scripts("stack", "action=stop")
    assert (stopped.status, stopped.out) == (0, "Nothing runs.\n")


def test_a_bundle_that_is_not_there_is_one_message(scripts: Scripts):
    finished = scripts("stack", "start", "nowhere")
    assert finished.status == 2 and "nowhere" in finished.err and "Traceback" not in finished.err
