"""A bundle on Triton answers as it does in process."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recsys_serving.triton.client import TritonAnswer, TritonRecommender
from recsys_serving.triton.launcher import is_ready
from recsys_serving.triton.repository import served_version, write_repository
from recsys_serving.triton.state import ServerState
from recsys_serving.triton.versions import swap_version
from tritonclient.utils import InferenceServerException

from recsys.errors import ExportError, ServingError
from recsys.runtime.bundle import Bundle
from recsys.runtime.recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS
from tests.serving.triton.conftest import Asking

pytestmark = pytest.mark.triton

ALL = [f"i{item:02}" for item in range(NUM_ITEMS)]

#: What is asked of every bundle.
QUESTIONS = [
    RecommendationRequest(user_id="u01", k=5),
    RecommendationRequest(user_id="u02", k=1),
    RecommendationRequest(user_id="nobody", k=3),
    RecommendationRequest(k=3),
    RecommendationRequest(history=["i02", "i08"], k=4),
    RecommendationRequest(history=["i02", "no such item", "i08", "i02"], k=4),
    RecommendationRequest(history=[], k=2),
    RecommendationRequest(history=["no such item"], k=2),
    RecommendationRequest(user_id="u01", history=["i03"], k=3),
    RecommendationRequest(history=["i02"], k=3, exclude_items=["i04", "i06", "no such item"]),
    RecommendationRequest(history=["i02"], k=100_000),
    RecommendationRequest(history=["i02"], k=2**70),
    RecommendationRequest(history=["i02"], exclude_items=ALL),
    RecommendationRequest(user_id="u03", exclude_items=ALL),
    RecommendationRequest(history=ALL, k=5),
    RecommendationRequest(history=ALL[:17], k=5),  # longer than the shortest width
    RecommendationRequest(history=["i02", "i08"], timestamps=[1_000_000_000, 1_000_000_060], k=4),
    RecommendationRequest(history=["i02", "i08", "i05"], ratings=[5, 3.5, 1], k=4),
]

#: Bundles by their versions: the encoder scores the catalogue, or makes vectors that are compared with all items or
#: looked for in an index of FAISS, or a ranker follows.
BUNDLES = {
    1: lambda: board_bundle("ease"),
    2: lambda: board_bundle("pure_svd"),
    3: lambda: board_bundle("pure_svd", "ease"),
    4: lambda: board_bundle("pure_svd", index="IVF4,SQ8", rescore=4),
}


def bundle_of(version: int) -> Bundle:
    return Bundle.open(BUNDLES[version]())


@pytest.fixture(scope="module", params=[4, 3, 2, 1])
def version(server: ServerState, repository: Path, request: pytest.FixtureRequest) -> int:
    """A version, which answers."""
    if not (repository / "recommend" / str(request.param)).is_dir():
        write_repository(bundle_of(request.param), repository, request.param)
    swap_version(repository, request.param, server.grpc_url)
    return request.param


@pytest.fixture(params=["grpc", "http"])
def recommender(server: ServerState, request: pytest.FixtureRequest) -> Iterator[TritonRecommender]:
    url = server.grpc_url if request.param == "grpc" else server.http_url
    with TritonRecommender(url, request.param, timeout_seconds=60) as recommender:
        yield recommender


class Expected:
    """What the bundle answers in process; of items with equal scores any may come first."""

    def __init__(self, version: int, questions: Sequence[RecommendationRequest]) -> None:
        recommender = BundleRecommender(bundle_of(version))
        self._questions = questions
        self._all = recommender.recommend_all([replace(question, k=NUM_ITEMS) for question in questions])

    def check(self, place: int, answer: TritonAnswer) -> None:
        question, everything = self._questions[place], self._all[place]
        scores = dict(zip(everything.item_ids, everything.scores, strict=True))
        assert answer.personalized == everything.personalized, question
        assert answer.scores == pytest.approx(everything.scores[: question.k], rel=1e-4, abs=1e-5), question
        assert answer.scores == pytest.approx([scores[item] for item in answer.item_ids], rel=1e-4, abs=1e-5), question
        assert len(set(answer.item_ids)) == len(answer.item_ids), question


def test_the_answers_are_those_of_the_bundle_in_process(version: int, recommender: TritonRecommender):
    expected = Expected(version, QUESTIONS)
    for place, question in enumerate(QUESTIONS):
        answer = recommender.recommend(question)
        expected.check(place, answer)
        assert answer.version == version


def test_those_who_ask_together_get_their_own(version: int, server: ServerState):
    questions = [
        RecommendationRequest(
            history=ALL[start : start + length], k=1 + (start + length) % 7, exclude_items=ALL[:start]
        )
        for start in range(8)
        for length in range(20)
    ]
    expected = Expected(version, questions)
    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(recommender.recommend, questions))
    for place, answer in enumerate(answers):
        expected.check(place, answer)


def test_several_in_one_request_are_filled_up(version: int, asking: Asking):
    ids, scores, personalized, _ = asking(
        "recommend",
        ["item_ids", "scores", "personalized"],
        user_id=[["u01"], ["nobody"]],
        history=[["i02", "i08"], ["i04", ""]],
        k=[[4], [2]],
    )
    expected = BundleRecommender(bundle_of(version)).recommend_all(
        [RecommendationRequest(user_id="u01", history=["i02", "i08"], k=4), RecommendationRequest(history=["i04"], k=2)]
    )
    assert [[name.decode() for name in row] for row in ids] == [expected[0].item_ids, [*expected[1].item_ids, "", ""]]
    assert scores[1, :2] == pytest.approx(expected[1].scores, rel=1e-5) and (scores[1, 2:] == -np.inf).all()
    assert personalized.tolist() == [[True], [True]]


def test_ids_that_are_numbers_may_come_as_such(asking: Asking):
    outputs = ["item_ids", "personalized"]
    numbers = asking("recommend", outputs, history_number=[[2, 8]], user_id_number=[[7]], blocked_number=[[4]], k=[[3]])
    texts = asking("recommend", outputs, history=[["2", "8"]], user_id=[["7"]], exclude_items=[["4"]], k=[[3]])
    assert numbers[0].tolist() == texts[0].tolist()
    assert not numbers[1].any()  # the ids of these data are no numbers


def test_ten_are_recommended_where_no_number_is_asked_for(asking: Asking):
    assert asking("recommend", ["item_ids"], history=[["i02"]])[0].shape == (1, 10)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"user_id": [["u01"]], "k": [[0]]}, "k must be a whole number of at least 1, but it is 0."),
        ({"user_id": [["u01"]], "k": [[-3]]}, "k must be a whole number of at least 1, but it is -3."),
        ({"user_id": [["u01"]], "user_id_number": [[1]]}, "user_id as text or user_id_number is required, but both"),
        ({"history": [["i02"]], "timestamps": [[1, 2]]}, "timestamps must be one for each item of the history, but 2"),
        ({"timestamps": [[1, 2]]}, "timestamps must be one for each item of the history, but 2 came for no history"),
        ({"history": [["i02"]], "ratings": np.float32([[np.nan]])}, "Ratings must be numbers, but nan came."),
        ({"history": [["i02"]], "ratings": np.float32([[9]])}, "Ratings of board are from 1 to 5, but 9 came."),
        ({"user_id": [[1]]}, "data-type is 'INT64', but model 'recommend' expects 'BYTES'"),
        ({"user_id": ["u01"]}, "unexpected shape for input 'user_id'"),
        ({"user_id": [["u01", "u02"]]}, "unexpected shape for input 'user_id'"),
        ({"user_id": [["u01"]], "k": [[1], [2]]}, "batch size does not match"),
        ({"user": [["u01"]]}, "unexpected inference input 'user'"),
        ({"user_id": np.full((100, 1), "u01")}, "inference request batch-size must be <= 64"),
    ],
)
def test_bad_input_is_an_error_and_the_server_lives_on(asking: Asking, inputs, message):
    with pytest.raises(InferenceServerException, match=re.escape(message)):
        asking("recommend", ["item_ids"], **inputs)
    assert asking("recommend", ["item_ids"], history=[["i02"]], k=[[1]])[0].shape == (1, 1)


def test_a_text_that_is_no_utf_8_is_an_error(asking: Asking):
    with pytest.raises(InferenceServerException, match="'utf-8' codec can't decode"):
        asking("recommend", ["item_ids"], user_id=np.array([[b"\xff"]], dtype=object), k=[[1]])


def test_a_query_of_another_model_is_an_error(asking: Asking):
    with pytest.raises(InferenceServerException, match=r"Queries of \d+ numbers are required, but they have 3"):
        asking("candidates", ["item_ids"], query=np.zeros((1, 3), np.float32), excluded=[[-1]], k=[[1]])


def test_what_the_models_do_not_know_is_refused(recommender: TritonRecommender):
    with pytest.raises(ServingError, match="The models on Triton do not know diversity, explain"):
        recommender.recommend(RecommendationRequest(diversity="mmr", explain=True))


def test_a_version_that_does_not_answer_is_refused(recommender: TritonRecommender):
    with pytest.raises(ServingError, match="refused: Request for unknown model: 'recommend' version 77 is not found"):
        recommender.recommend(QUESTIONS[0], version=77)


def test_no_server_is_told():
    for protocol in ("grpc", "http"):
        with (
            TritonRecommender("127.0.0.1:1", protocol, timeout_seconds=2) as recommender,
            pytest.raises(ServingError, match="A Triton server is required at 127.0.0.1:1, but none answers"),
        ):
            recommender.recommend(RecommendationRequest())


def test_versions_are_exchanged_under_load_and_no_request_is_lost(server: ServerState, repository: Path):
    asked = RecommendationRequest(history=["i02", "i08"], k=5)
    for version in BUNDLES:
        if not (repository / "recommend" / str(version)).is_dir():
            write_repository(bundle_of(version), repository, version)
    swap_version(repository, 1, server.grpc_url)
    expected = {version: Expected(version, [asked]) for version in BUNDLES}
    with TritonRecommender(server.grpc_url, timeout_seconds=120) as recommender, ThreadPoolExecutor(5) as pool:
        asking = [pool.submit(lambda: [recommender.recommend(asked) for _ in range(500)]) for _ in range(4)]
        loads = 0
        while loads < 3 or not all(future.done() for future in asking):
            swap_version(repository, (3, 2, 1)[loads % 3], server.grpc_url)
            loads += 1
        answers = [answer for future in asking for answer in future.result()]
    assert len(answers) == 2000
    assert len({answer.version for answer in answers}) > 1
    for answer in answers:
        expected[answer.version].check(0, answer)


def test_a_version_that_cannot_be_loaded_changes_nothing(server: ServerState, repository: Path):
    asked, before = RecommendationRequest(history=["i02"], k=3), served_version(repository)
    write_repository(bundle_of(2), repository, 9)
    model = repository / "candidates" / "9" / "model.py"
    whole = model.read_text(encoding="utf-8")
    model.write_text("raise RuntimeError('broken on purpose')", encoding="utf-8")
    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender:
        with pytest.raises(ServingError, match=rf"so version {before} goes on answering.*broken on purpose"):
            swap_version(repository, 9, server.grpc_url)
        assert served_version(repository) == recommender.recommend(asked).version == before
        assert is_ready(server)
        model.write_text(whole, encoding="utf-8")
        swap_version(repository, 9, server.grpc_url)
        assert recommender.recommend(asked).version == 9


def test_a_damaged_file_of_a_bundle_is_not_served(server: ServerState, repository: Path):
    write_repository(bundle_of(1), repository, 10)
    path = repository / "candidates" / "10" / "bundle" / "popularity.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ServingError, match=r"cannot be loaded.*popularity\.npy was changed or damaged"):
        swap_version(repository, 10, server.grpc_url)


def test_a_version_that_does_not_exist_is_refused(server: ServerState, repository: Path):
    with pytest.raises(ExportError, match="must have version 77 to serve it, but has 1"):
        swap_version(repository, 77, server.grpc_url)
