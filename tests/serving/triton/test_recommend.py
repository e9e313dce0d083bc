"""A bundle on Triton answers as it does in process."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.launcher import is_ready
from recsys_serving.triton.repository import OnnxPlace, served_version, write_repository
from recsys_serving.triton.state import ServerState
from recsys_serving.triton.versions import swap_version
from tritonclient.utils import InferenceServerException

from recsys.errors import ExportError, RecsysError, RequestError, ServingError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.recommendation import Recommendation, Recommender
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
    RecommendationRequest(history=ALL[:17], k=5),
    RecommendationRequest(history=["i02", "i08"], timestamps=[1_000_000_000, 1_000_000_060], k=4),
    RecommendationRequest(history=["i02", "i08", "i05"], ratings=[5, 3.5, 1], k=4),
    RecommendationRequest(history=["i02", "i08"], k=30, filters={"colours": {"any_of": ["white"]}}),
    RecommendationRequest(
        k=30, filters={"or": [{"colours": {"any_of": ["white"]}}, {"title": {"any_of": ["Square 2"]}}]}
    ),
    RecommendationRequest(user_id="u01", history=["i02", "i04"], k=5, explain=True),
    RecommendationRequest(user_id="u01", k=5, explain=True),
    RecommendationRequest(history=["i02", "i03"], k=4, explain=True, exclude_items=["i04"]),
]
#: The same with diversity, of whose lists the scores do not tell the order.
DIVERSE = [
    RecommendationRequest(history=["i02", "i08", "i05"], k=6, diversity="mmr", diversity_weight=0.7),
    RecommendationRequest(user_id="u01", k=6, diversity="calibrated", diversity_weight=1, diversity_column="colours"),
]

#: Bundles by their versions: the encoder scores the catalogue, or makes vectors that are compared with all items or
#: looked for in an index of FAISS, or a ranker follows.
BUNDLES = {
    1: lambda: board_bundle("ease"),
    2: lambda: board_bundle("pure_svd"),
    3: lambda: board_bundle("pure_svd", "ease"),
    4: lambda: board_bundle("pure_svd", index="IVF4,SQ8", rescore=4),
}
#: Where ONNX models run.
PLACES: dict[int, OnnxPlace] = {1: "in_process", 2: "triton", 3: "triton", 4: "in_process"}


def bundle_of(version: int) -> Bundle:
    return Bundle.open(BUNDLES[version]())


def write(repository: Path, version: int) -> None:
    if not (repository / "recommend" / str(version)).is_dir():
        write_repository(bundle_of(version), repository, version, models=PLACES[version])


@pytest.fixture(scope="module", params=[4, 3, 2, 1])
def version(server: ServerState, repository: Path, request: pytest.FixtureRequest) -> int:
    """A version, which answers."""
    write(repository, request.param)
    swap(server, repository, request.param)
    return request.param


def swap(server: ServerState, repository: Path, version: int) -> None:
    swap_version(repository, version, server.grpc_url, admin_key=server.admin_key)


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
        self._own = recommender.recommend(questions)
        self._all = recommender.recommend([replace(question, k=NUM_ITEMS, explain=False) for question in questions])

    def check(self, place: int, answer: Recommendation) -> None:
        question, own, everything = self._questions[place], self._own[place], self._all[place]
        scores = dict(zip(everything.item_ids, everything.scores, strict=True))
        for name in ("personalized", "notes", "unknown_items", "unknown_values", "explanation_method"):
            assert getattr(answer, name) == getattr(own, name), question
        assert answer.scores == pytest.approx(own.scores, rel=1e-4, abs=1e-5), question
        assert answer.scores == pytest.approx([scores[item] for item in answer.item_ids], rel=1e-4, abs=1e-5), question
        assert len(set(answer.item_ids)) == len(answer.item_ids), question
        if question.explain:
            check_explanations(own, answer)


def check_explanations(own: Recommendation, answer: Recommendation) -> None:
    if own.explanations is None:
        assert answer.explanations is None
        return
    expected = dict(zip(own.item_ids, own.explanations, strict=True))
    for item, explanation in zip(answer.item_ids, answer.explanations, strict=True):
        if item in expected:  # else it came in for one with an equal score
            assert [one.item_id for one in explanation.contributions] == [
                one.item_id for one in expected[item].contributions
            ]
            assert [one.shared for one in explanation.contributions] == [
                one.shared for one in expected[item].contributions
            ]
            assert replace(explanation, contributions=(), older_value=0.0) == replace(
                expected[item], contributions=(), older_value=0.0
            )
            values = [
                [one.value for one in each.contributions if one.value is not None]
                for each in (explanation, expected[item])
            ]
            assert values[0] == pytest.approx(values[1], rel=1e-4, abs=1e-5)


def test_it_is_a_recommender(recommender: TritonRecommender):
    assert isinstance(recommender, Recommender)


def test_the_answers_are_those_of_the_bundle_in_process(version: int, recommender: TritonRecommender):
    expected = Expected(version, QUESTIONS)
    for place, (question, answer) in enumerate(zip(QUESTIONS, recommender.recommend(QUESTIONS), strict=True)):
        expected.check(place, answer)
        assert answer.model_version == str(version), question
    in_process = BundleRecommender(bundle_of(version)).recommend(DIVERSE)
    for own, answer in zip(in_process, recommender.recommend(DIVERSE), strict=True):
        assert answer.item_ids == own.item_ids
        assert answer.scores == pytest.approx(own.scores, rel=1e-4, abs=1e-5)


def test_similar_items_are_those_of_the_bundle_in_process(version: int, recommender: TritonRecommender):
    in_process = BundleRecommender(bundle_of(version))
    for by in ("model", "content"):
        found, expected = (one.similar(["i02", "i07"], 4, by) for one in (recommender, in_process))
        assert [one.item_id for one in found] == ["i02", "i07"]
        assert [one.measure for one in found] == [one.measure for one in expected]
        for own, other in zip(found, expected, strict=True):
            assert own.similarities == pytest.approx(other.similarities, rel=1e-4)


def test_those_who_ask_together_get_their_own(version: int, server: ServerState):
    questions = [
        RecommendationRequest(
            history=ALL[start : start + length], k=1 + (start + length) % 7, exclude_items=ALL[:start]
        )
        for start in range(8)
        for length in range(20)
    ]
    expected = Expected(version, questions)
    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender:
        for place, answer in enumerate(recommender.recommend(questions)):
            expected.check(place, answer)


def test_one_wrong_question_does_not_spoil_the_others(server: ServerState):
    right = RecommendationRequest(history=["i02"], k=3)
    wrong = RecommendationRequest(history=["i02"], k=3, filters={"size": {"gte": 3}})

    def ask(turn: int) -> list[str] | str:
        try:
            return recommender.recommend_one(wrong if turn % 5 == 0 else right).item_ids
        except RequestError as error:
            return str(error)

    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender, ThreadPoolExecutor(16) as pool:
        expected = recommender.recommend_one(right).item_ids
        answers = list(pool.map(ask, range(100)))
    for turn, answer in enumerate(answers):
        if turn % 5 == 0:
            assert "There is no column size" in answer
        else:
            assert answer == expected


@pytest.mark.parametrize(
    "request_",
    [
        RecommendationRequest(history=["i02"], ratings=[9]),
        RecommendationRequest(filters={"size": {"gte": 3}}),
        RecommendationRequest(filters={"colours": {"any_of": ["blue"]}}),
        RecommendationRequest(history=["i02"], diversity="shuffle"),
        RecommendationRequest(history=["i02"], diversity="mmr", diversity_column="size"),
        RecommendationRequest(user_features={"age": 3}),
    ],
)
def test_what_is_wrong_is_told_as_in_process(recommender: TritonRecommender, request_: RecommendationRequest):
    with pytest.raises(RecsysError) as expected:
        BundleRecommender(bundle_of(1)).recommend_one(request_)
    with pytest.raises(RequestError) as found:
        recommender.recommend_one(request_)
    assert str(found.value) == str(expected.value)


def test_similar_items_of_what_does_not_exist_are_refused(recommender: TritonRecommender):
    with pytest.raises(RequestError, match="^There is no item 'i99' in board"):
        recommender.similar(["i99"], 3)
    for k, by, message in ((0, "model", "k must be a whole number"), (3, "looks", "by must be model or content")):
        with pytest.raises(RequestError, match=message):
            recommender.similar(["i02"], k, by)  # type: ignore[arg-type]


def test_several_in_one_request_are_filled_up(version: int, asking: Asking):
    ids, scores, personalized, _ = asking(
        "recommend",
        ["item_ids", "scores", "personalized"],
        user_id=[["u01"], ["nobody"]],
        history=[["i02", "i08"], ["i04", ""]],
        k=[[4], [2]],
    )
    expected = BundleRecommender(bundle_of(version)).recommend(
        [RecommendationRequest(user_id="u01", history=["i02", "i08"], k=4), RecommendationRequest(history=["i04"], k=2)]
    )
    assert [[name.decode() for name in row] for row in ids] == [expected[0].item_ids, [*expected[1].item_ids, "", ""]]
    assert scores[1, :2] == pytest.approx(expected[1].scores, rel=1e-5) and (scores[1, 2:] == -np.inf).all()
    assert personalized.tolist() == [[True], [True]]


def test_ids_that_are_numbers_may_come_as_such(asking: Asking):
    outputs = ["item_ids", "personalized"]
    numbers = asking(
        "recommend", outputs, history_number=[[2, 8]], user_id_number=[[7]], exclude_items_number=[[4]], k=[[3]]
    )
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
        ({"filters": [["{"]]}, "filters must be JSON, but it cannot be read"),
        ({"filters": [["[" * 100_000]]}, "filters must be JSON, but it cannot be read"),
        ({"filters": [["[3]"]]}, "filters must be columns with conditions"),
        ({"user_features": [["3"]]}, "user_features must be a JSON object, but it is 3."),
        ({"history": np.full((1, 100_001), "i02")}, "history may have 100,000 values, but 100,001 came."),
        ({"filters": [['"' + "a" * 1_000_000 + '"']]}, "filters may have 1,000,000 characters"),
        ({"diversity_weight": [[1.5]], "diversity": [["mmr"]]}, "diversity_weight must be a number from 0 to 1"),
        ({"user_id": np.full((100, 1), "u01")}, "inference request batch-size must be <= 64"),
    ],
)
def test_bad_input_is_an_error_and_the_server_lives_on(asking: Asking, inputs, message):
    with pytest.raises(InferenceServerException, match=re.escape(message)):
        asking("recommend", ["item_ids"], **inputs)
    assert asking("recommend", ["item_ids"], history=[["i02"]], k=[[1]])[0].shape == (1, 1)


def test_a_text_that_is_no_utf_8_is_an_error(asking: Asking):
    with pytest.raises(
        InferenceServerException, match="Texts must be UTF-8, but one is not: 'utf-8' codec can't decode"
    ):
        asking("recommend", ["item_ids"], user_id=np.array([[b"\xff"]], dtype=object), k=[[1]])


def test_a_version_may_be_chosen(server: ServerState):
    for protocol, url in (("grpc", server.grpc_url), ("http", server.http_url)):
        with TritonRecommender(url, protocol, timeout_seconds=60, version=1) as recommender:
            assert recommender.recommend_one(QUESTIONS[0]).model_version == "1"
        with (
            TritonRecommender(url, protocol, timeout_seconds=60, version=77) as recommender,
            pytest.raises(
                ServingError, match="refused: Request for unknown model: 'recommend' version 77 is not found"
            ),
        ):
            recommender.recommend_one(QUESTIONS[0])


def test_no_server_is_told():
    for protocol in ("grpc", "http"):
        with (
            TritonRecommender("127.0.0.1:1", protocol, timeout_seconds=2) as recommender,
            pytest.raises(ServingError, match="A Triton server is required at 127.0.0.1:1, but none answers"),
        ):
            recommender.recommend_one(RecommendationRequest())


def test_versions_are_exchanged_under_load_and_no_request_is_lost(server: ServerState, repository: Path):
    asked = RecommendationRequest(history=["i02", "i08"], k=5)
    for version in BUNDLES:
        write(repository, version)
    swap(server, repository, 1)
    expected = {version: Expected(version, [asked]) for version in BUNDLES}
    with TritonRecommender(server.grpc_url, timeout_seconds=120) as recommender, ThreadPoolExecutor(5) as pool:
        asking = [pool.submit(lambda: [recommender.recommend_one(asked) for _ in range(500)]) for _ in range(4)]
        loads = 0
        while loads < 3 or not all(future.done() for future in asking):
            swap(server, repository, (3, 2, 1)[loads % 3])
            loads += 1
        answers = [answer for future in asking for answer in future.result()]
    assert len(answers) == 2000
    assert len({int(answer.model_version) for answer in answers}) > 1
    for answer in answers:
        expected[int(answer.model_version)].check(0, answer)


def test_a_version_that_cannot_be_loaded_changes_nothing(server: ServerState, repository: Path):
    asked, before = RecommendationRequest(history=["i02"], k=3), served_version(repository)
    write_repository(bundle_of(2), repository, 9)
    model = repository / "recommender" / "9" / "model.py"
    whole = model.read_text(encoding="utf-8")
    model.write_text("raise RuntimeError('broken on purpose')", encoding="utf-8")
    with TritonRecommender(server.grpc_url, timeout_seconds=60) as recommender:
        with pytest.raises(ServingError, match=rf"so version {before} goes on answering.*broken on purpose"):
            swap(server, repository, 9)
        assert served_version(repository) == int(recommender.recommend_one(asked).model_version) == before
        assert is_ready(server)
        model.write_text(whole, encoding="utf-8")
        swap(server, repository, 9)
        assert int(recommender.recommend_one(asked).model_version) == 9


def test_a_damaged_file_of_a_bundle_is_not_served(server: ServerState, repository: Path):
    write_repository(bundle_of(1), repository, 10)
    path = repository / "recommender" / "10" / "bundle" / "popularity.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ServingError, match=r"cannot be loaded.*popularity\.npy was changed or damaged"):
        swap(server, repository, 10)


def test_a_version_that_does_not_exist_is_refused(server: ServerState, repository: Path):
    with pytest.raises(ExportError, match="must have version 77 to serve it, but has 1"):
        swap(server, repository, 77)
