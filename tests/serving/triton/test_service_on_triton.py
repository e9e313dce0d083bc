"""The real-time service before a real Triton server: its lists are those of the bundle in process."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.recommending.types import (
    Boost,
    CatalogueItem,
    Diversity,
    HistoryItem,
    Promotion,
    RecommendationAnswer,
    RecommendationQuery,
)
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.state import ServerState
from recsys_serving.triton.versions import swap_version

from recsys.errors import RequestError
from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import Manifest
from tests.export.board_bundles import board_bundle
from tests.serving.triton.running_server import running_server

pytestmark = pytest.mark.triton

#: The bundle that the server has at first, one that it gets later, and one that it never has.
FIRST, SECOND, ELSEWHERE = "first", "second", "elsewhere"
WHITE = {"colours": {"any_of": ["white"]}}
SESSION = (HistoryItem("i02"), HistoryItem("i08"))
QUERIES = {
    "a user": RecommendationQuery(user_id="u01", k=5),
    "a session": RecommendationQuery(session=SESSION, k=5),
    "nobody": RecommendationQuery(k=5),
    "filters": RecommendationQuery(session=SESSION, filters=WHITE, k=5),
    "a filter that no item passes": RecommendationQuery(session=SESSION, filters={"colours": {"any_of": ["no"]}}),
    "exclusions": RecommendationQuery(user_id="u01", exclude_items=("i04", "i06"), k=5),
    "diversity": RecommendationQuery(session=SESSION, diversity=Diversity("mmr", 0.5), k=5),
    "calibration": RecommendationQuery(session=SESSION, diversity=Diversity("calibrated", 0.5), k=5),
    "explanations": RecommendationQuery(session=SESSION, explain=True, k=5),
    "seen items": RecommendationQuery(session=SESSION, exclude_seen=False, k=5),
    "boosts": RecommendationQuery(session=SESSION, boosts=(Boost(WHITE, 3.0),), k=5),
    "promotions": RecommendationQuery(session=SESSION, promotions=(Promotion("i09", 1),), k=5),
    "unknown items": RecommendationQuery(session=(HistoryItem("none"), *SESSION), k=5),
    "a long list": RecommendationQuery(session=SESSION, k=500),
}


class Both:
    """A service before the server, and one that answers in process.

    Args:
        on_triton: the first one.
        here: the other one.
    """

    def __init__(self, on_triton: RecommendationService, here: RecommendationService) -> None:
        self.on_triton, self.here = on_triton, here

    def do(self, change: Callable[[RecommendationService], Any]) -> None:
        """Change both."""
        change(self.on_triton)
        change(self.here)

    def answers(self, query: RecommendationQuery = QUERIES["a session"]) -> tuple[RecommendationAnswer, bool]:
        """The answer of both, which must be alike, and whether Triton gave it."""
        (answer,), (expected,) = self.on_triton.recommend([query]), self.here.recommend([query])
        assert [item.item_id for item in answer.items] == [item.item_id for item in expected.items]
        scores = [item.score for item in expected.items]  # None of one that is only promoted
        assert [item.score is None for item in answer.items] == [score is None for score in scores]
        assert [item.score or 0.0 for item in answer.items] == pytest.approx(
            [score or 0.0 for score in scores], rel=1e-4, abs=1e-5
        )
        same = {"items": (), "model_version": "", "recommendation_id": "", "next_cursor": None, "degraded": ()}
        assert replace(answer, **same) == replace(expected, **same)
        assert [item.reasons for item in answer.items] == [item.reasons for item in expected.items]
        return answer, answer.model_version.isdecimal()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bundles")
    (directory / FIRST).symlink_to(board_bundle("two_tower"))
    (directory / ELSEWHERE).symlink_to(board_bundle("ease"))
    shutil.copytree(board_bundle("two_tower"), directory / SECOND)
    replace(Manifest.read(directory / SECOND), created="2031-02-03T04:05:06").write(directory / SECOND)
    return directory


@pytest.fixture(scope="module")
def repository(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("triton") / "repository"
    write_repository(Bundle.open(bundles / FIRST), path)
    return path


@pytest.fixture(scope="module")
def server(
    triton_environment: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerState]:
    with running_server(triton_environment, repository, tmp_path_factory) as state:
        yield state


@pytest.fixture
def both(server: ServerState, bundles: Path) -> Iterator[Both]:
    waits = {"deadline_seconds": 400.0, "runtime_timeout_seconds": 100.0, "breaker_seconds": 0.2}
    common: dict[str, Any] = {"bundles": bundles, "bundle": FIRST, "cursor_secret": b"s" * 32, **waits}
    options = [
        RecommendingOptions(**common, runtime="triton", triton_url=server.grpc_url),
        RecommendingOptions(**common),
    ]
    opened = [open_service(one, None, None, None, HealthRegistry()) for one in options]
    yield Both(*opened)
    for service in opened:
        service.close()


@pytest.mark.parametrize("name", QUERIES)
def test_a_list_of_triton_is_that_of_the_bundle_in_process(both: Both, name: str):
    answer, is_of_triton = both.answers(QUERIES[name])
    assert is_of_triton and answer.degraded == ()


def test_several_lists_at_once_are_those_of_the_bundle_in_process(both: Both):
    queries = [RecommendationQuery(user_id=f"u{number:02}", k=4) for number in range(1, 20)]
    lists, expected = both.on_triton.recommend(queries), both.here.recommend(queries)
    assert [[item.item_id for item in one.items] for one in lists] == [
        [item.item_id for item in one.items] for one in expected
    ]
    assert all(one.model_version.isdecimal() and one.degraded == () for one in lists)


@pytest.mark.parametrize(
    "query",
    [
        RecommendationQuery(session=(HistoryItem("i02", 99.0),)),
        RecommendationQuery(user_id="u01", user_features={"none": 1}),
    ],
)
def test_what_is_wrong_has_the_message_that_it_has_in_process(both: Both, query: RecommendationQuery):
    with pytest.raises(RequestError) as here:
        both.here.recommend([query])
    with pytest.raises(RequestError) as there:
        both.on_triton.recommend([query])
    assert str(there.value) == str(here.value)


def test_a_new_item_that_is_known_by_its_content_alone_is_recommended_at_once(both: Both):
    white = CatalogueItem("new", "New", {"colours": ["white"]})
    both.do(lambda service: service.add_items([white]))
    query = RecommendationQuery(session=(HistoryItem("i03"), HistoryItem("i05")), k=500)
    answer, is_of_triton = both.answers(query)
    assert "new" in [item.item_id for item in answer.items] and not is_of_triton and answer.degraded == ()
    both.answers(RecommendationQuery(session=(HistoryItem("new"),), k=5, explain=True))
    assert both.on_triton.similar("i02", 4).items == both.here.similar("i02", 4).items
    both.do(lambda service: service.remove_items(["new"]))
    assert both.answers(query)[1]


def test_items_that_are_gone_and_values_that_have_changed_count_at_once(both: Both):
    first = both.answers()[0].items[0].item_id
    both.do(lambda service: service.update_items([CatalogueItem(first, available=False)]))
    answer, _ = both.answers()
    assert first not in [item.item_id for item in answer.items]
    both.do(lambda service: service.update_items([CatalogueItem("i03", properties={"colours": ["black"]})]))
    answer, is_of_triton = both.answers(RecommendationQuery(session=SESSION, filters=WHITE, k=500))
    assert "i03" not in [item.item_id for item in answer.items] and not is_of_triton and answer.degraded == ()


def test_a_bundle_that_the_server_does_not_have_answers_in_process_until_it_has_it(
    both: Both, server: ServerState, repository: Path, bundles: Path
):
    assert both.answers()[1]
    both.do(lambda service: service.activate(ELSEWHERE, "test"))
    answer, is_of_triton = both.answers(RecommendationQuery(user_id="u01", k=5))
    assert (answer.bundle, answer.degraded, is_of_triton) == (ELSEWHERE, ("runtime",), False)

    both.do(lambda service: service.activate(SECOND, "test"))
    answer, is_of_triton = both.answers()
    assert (answer.bundle, answer.degraded, is_of_triton) == (SECOND, ("runtime",), False)
    second = write_repository(Bundle.open(bundles / SECOND), repository)
    swap_version(repository, second, server.grpc_url, admin_key=server.admin_key)
    assert _comes_to_be(lambda: both.answers()[0].model_version == str(second))
    assert both.answers()[0].degraded == ()

    both.do(lambda service: service.activate(FIRST, "test"))
    assert both.answers()[0].degraded == ("runtime",)
    swap_version(repository, _first_version(repository, second), server.grpc_url, admin_key=server.admin_key)
    assert _comes_to_be(lambda: both.answers()[1])


def _first_version(repository: Path, second: int) -> int:
    versions = {int(path.name) for path in (repository / "recommend").iterdir() if path.name.isdecimal()}
    (first,) = versions - {second}
    return first


def _comes_to_be(holds: Callable[[], bool]) -> bool:
    """Whether something holds before long: a version that was not there is not asked for at once again."""
    end = time.monotonic() + 100
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False
