"""The script around the service; that the service answers is tested with its launcher."""

from __future__ import annotations

import pytest

from tests.export.board_bundles import board_bundle
from tests.scripts.running import Scripts

pytestmark = pytest.mark.usefixtures("no_settings")


def test_where_nothing_runs_it_is_said(scripts: Scripts):
    status = scripts("serve", "status")
    assert (status.status, status.out) == (1, "No service runs.\n")
    stopped = scripts("serve", "action=stop")
    assert (stopped.status, stopped.out) == (0, "No service runs.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["start", "nowhere"], "nowhere"),
        (["start", "port=0"], "port: Input should be greater than or equal to 1"),
        (["start", "runtime=triton"], "requires triton_url"),
        (["start", "colour=red"], "colour"),
        (["dance"], "dance"),
    ],
    ids=["bundle", "port", "triton", "unknown", "action"],
)
def test_what_cannot_be_is_one_message(scripts: Scripts, arguments: list[str], message: str):
    finished = scripts("serve", *arguments)
    assert finished.status == 2
    assert message in finished.err and "Traceback" not in finished.err


def test_a_variable_that_is_no_setting_is_named(scripts: Scripts, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECSYS_WORKERZ", "3")
    finished = scripts("serve", "start", str(board_bundle("ease")))
    assert finished.status == 2 and "RECSYS_WORKERZ" in finished.err
