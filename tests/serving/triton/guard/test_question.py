from pathlib import Path

import pytest
from recsys_serving.triton.guard.question import Questioner, Reply
from recsys_serving.triton.state import ServerState

NOBODY = "127.0.0.1:1"


def test_where_nobody_listens_nothing_is_ready(tmp_path: Path):
    (tmp_path / "recommend").mkdir()
    with Questioner(NOBODY, tmp_path, answer_seconds=1) as questioner:
        assert not questioner.is_ready() and not questioner.is_loaded("recommend")
        assert questioner.instances("recommend", "1") == 0
        reply, said = questioner.ask()
    assert reply is Reply.REFUSED and "A Triton server is required at 127.0.0.1:1" in said


def test_without_a_recommender_being_ready_is_what_is_asked(tmp_path: Path):
    with Questioner(NOBODY, tmp_path, answer_seconds=1) as questioner:
        assert questioner.ask() == (Reply.REFUSED, "it is not ready")


@pytest.mark.triton
def test_a_server_that_answers(version_1: ServerState, repository: Path):
    with Questioner(version_1.grpc_url, repository) as questioner:
        assert questioner.is_ready() and questioner.is_loaded("recommender", "1")
        assert not questioner.is_loaded("recommender", "77")
        assert questioner.instances("recommender", "1") == 1 and questioner.instances("recommender", "77") == 0
        assert questioner.instances("add", "1") > 0  # Triton's own number where the configuration says nothing
        assert questioner.ask() == (Reply.ANSWERED, "")
