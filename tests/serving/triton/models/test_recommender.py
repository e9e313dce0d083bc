"""What the model in Python makes of requests, with stand-ins; and on a server: it answers as a bundle in process."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import recsys_serving.triton
from recsys_serving.triton import answer_tensors
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.served_bundle import OnnxSignature
from recsys_serving.triton.state import ServerState
from tritonclient.utils import InferenceServerException

from recsys.errors import BundleError, RecsysError, RequestError, ServingError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.recommendation import Recommendation, SimilarItems
from recsys.runtime.request import RecommendationRequest
from tests.models.board_data import NUM_ITEMS
from tests.serving.triton.board_versions import Expected, bundle_of, swap, write
from tests.serving.triton.conftest import Asking

PROGRAM = Path(str(recsys_serving.triton.__file__)).parent / "models" / "recommender.py"


class Request(SimpleNamespace):
    """A request of Triton: outputs that are wanted, and inputs by their names."""

    def requested_output_names(self) -> list[str]:
        names: list[str] = self.outputs
        return names


class Tensor:
    """A tensor of Triton, in a request or an answer."""

    def __init__(self, name: str, values: Any) -> None:
        self.name, self._values = name, values

    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._values.shape
        return shape

    def as_numpy(self) -> Any:
        return self._values


class Failure(SimpleNamespace):
    """An error of Triton, by its message and kind."""

    INVALID_ARG = "invalid"

    def __init__(self, message: str, kind: str = "internal") -> None:
        super().__init__(message=message, kind=kind)


class Answering:
    """Stands in for the recommender of a bundle: item ``of K`` for k = K; refuses k = 13, and cannot do k = 14."""

    def __init__(self, bundle: Any, open_model: Callable[[str], Any], explain_seconds: float) -> None:
        assert explain_seconds > 0  # while one is explained, others wait
        self.open_model = open_model
        self.batches: list[list[int]] = []
        self.warm = 0

    def warm_up(self) -> None:
        self.warm += 1

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        self.batches.append([request.k for request in requests])
        if any(request.k == 13 for request in requests):
            raise RequestError("13 is refused.")
        if any(request.k == 14 for request in requests):
            raise IndexError("out of range")
        return [Recommendation([f"of {request.k}"], [0.5], True, "") for request in requests]

    def similar(self, item_ids: Sequence[str], k: int, by: str) -> list[SimilarItems]:
        if "unknown" in item_ids:
            raise RequestError("There is no item unknown.")
        return [SimilarItems(one, [by], [float(k)], "cosine") for one in item_ids]


class Changes:
    """Stands in for the changes of items."""

    error: RecsysError | None = None

    def __init__(self, directory: Path, recommender: Answering) -> None:
        self.directory, self.num_looks = directory, 0

    def apply_new(self) -> None:
        self.num_looks += 1
        if self.error is not None:
            raise self.error


class Loaded:
    """One instance of the model, with what it was given and what it logged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, on_server: dict[str, OnnxSignature]) -> None:
        self.logged: list[str] = []
        backend = SimpleNamespace(
            get_input_tensor_by_name=lambda request, name: request.inputs.get(name),
            Tensor=Tensor,
            TritonError=Failure,
            Logger=SimpleNamespace(log_error=self.logged.append),
            InferenceResponse=lambda tensors=None, error=None: SimpleNamespace(
                tensors={one.name: one.as_numpy() for one in tensors or ()}, error=error
            ),
        )
        monkeypatch.setitem(sys.modules, "triton_python_backend_utils", backend)
        monkeypatch.setattr(sys, "path", list(sys.path))  # the program puts its own directory first
        spec = importlib.util.spec_from_file_location("recommender_of_triton", PROGRAM)
        assert spec is not None and spec.loader is not None
        self.program: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.program)
        bundle = SimpleNamespace(user_columns=(), directory=Path("bundle"))
        for name, stand_in in {
            "open_bundle": lambda directory: bundle,
            "read_onnx_models": lambda directory: on_server,
            "OnnxModel": lambda path: f"opened {path}",
            "BundleRecommender": Answering,
            "ItemChanges": Changes,
        }.items():
            setattr(self.program, name, stand_in)
        self.model = self.program.TritonPythonModel()
        self.model.initialize({"model_version": "7"})

    @property
    def recommender(self) -> Answering:
        found: Answering = self.model._recommender
        return found

    @property
    def changes(self) -> Changes:
        found: Changes = self.model._changes
        return found


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    return Loaded(monkeypatch, {})


def asking_for(*k: int, outputs: Sequence[str] = ("item_ids",)) -> Request:
    """A request with a row for each number."""
    return Request(outputs=list(outputs), inputs={"k": Tensor("k", np.array(k)[:, None])})


def similar_to(item: str) -> Request:
    inputs = {
        "similar_to": Tensor("similar_to", np.array([[item.encode()]], dtype=object)),
        "k": Tensor("k", np.array([[3]])),
    }
    return Request(outputs=["similar"], inputs=inputs)


def lists(answer: Any) -> list[list[str]]:
    assert answer.error is None
    return [[name.decode() for name in row] for row in answer.tensors["item_ids"]]


def test_models_of_this_process_are_warm_before_the_first_request(loaded: Loaded):
    assert (loaded.recommender.warm, loaded.changes.num_looks) == (1, 1)
    assert loaded.recommender.open_model("ranker.onnx") == f"opened {Path('bundle', 'ranker.onnx')}"
    assert loaded.changes.directory == PROGRAM.parent / "items"


def test_models_of_the_server_are_not_asked_before_it_runs(monkeypatch: pytest.MonkeyPatch):
    loaded = Loaded(monkeypatch, {"ranker.onnx": OnnxSignature(["history"], ["scores"])})
    assert (loaded.recommender.warm, loaded.changes.num_looks) == (0, 0)
    with pytest.raises(RequestError, match="^ranker needs the inputs history, but history is missing"):
        loaded.recommender.open_model("ranker.onnx").run({})
    assert loaded.recommender.open_model("encoder.onnx") == f"opened {Path('bundle', 'encoder.onnx')}"


def test_requests_that_come_together_are_answered_at_once_and_each_gets_its_own(loaded: Loaded):
    answers = loaded.model.execute([asking_for(1), asking_for(2, 3), asking_for(4)])
    assert [lists(answer) for answer in answers] == [[["of 1"]], [["of 2"], ["of 3"]], [["of 4"]]]
    assert loaded.recommender.batches == [[1, 2, 3, 4]]


def test_only_the_outputs_that_are_wanted_are_sent(loaded: Loaded):
    (few,) = loaded.model.execute([asking_for(1, outputs=["scores", "item_ids"])])
    (whole,) = loaded.model.execute([asking_for(1, outputs=list(answer_tensors.tensors_of([])))])
    assert set(few.tensors) == {"scores", "item_ids"}
    assert set(whole.tensors) == {"scores", "item_ids", "personalized", "details"}
    assert all(values.flags.c_contiguous for values in whole.tensors.values())


def test_a_request_that_is_refused_does_not_spoil_the_others(loaded: Loaded):
    first, refused, last = loaded.model.execute([asking_for(1), asking_for(13), asking_for(2)])
    assert (lists(first), lists(last)) == ([["of 1"]], [["of 2"]])
    assert refused.error == Failure("13 is refused.", "invalid")
    assert not loaded.logged


def test_a_request_that_cannot_be_read_does_not_reach_the_others(loaded: Loaded):
    refused, last = loaded.model.execute([asking_for(0), asking_for(2)])
    assert refused.error == Failure("k must be a whole number of at least 1, but it is 0.", "invalid")
    assert lists(last) == [["of 2"]]
    assert loaded.recommender.batches == [[2]]


def test_a_request_that_is_too_large_is_refused_before_its_values_are_read(loaded: Loaded):
    large = SimpleNamespace(shape=lambda: (1, 100_001))  # has no values to read
    (refused,) = loaded.model.execute([Request(outputs=["item_ids"], inputs={"history": large})])
    assert refused.error.message.startswith("history may have 100,000 values, but 100,001 came.")
    assert refused.error.kind == "invalid"


def test_a_mistake_in_the_program_is_no_wrong_request_and_is_logged(loaded: Loaded):
    first, failed = loaded.model.execute([asking_for(1), asking_for(14)])
    assert lists(first) == [["of 1"]]
    assert failed.error == Failure("IndexError: out of range", "internal")
    assert loaded.logged == ["A request cannot be answered: IndexError: out of range"]


def test_similar_items_are_answered_beside_lists(loaded: Loaded):
    similar, list_, refused = loaded.model.execute([similar_to("a"), asking_for(2), similar_to("unknown")])
    assert answer_tensors.similar_items_of(similar.tensors, 0) == [SimilarItems("a", ["model"], [3.0], "cosine")]
    assert lists(list_) == [["of 2"]]
    assert refused.error == Failure("There is no item unknown.", "invalid")


def test_changes_of_items_are_looked_for_before_every_answer(loaded: Loaded):
    loaded.model.execute([asking_for(1), asking_for(2)])
    loaded.model.execute([asking_for(1)])
    assert loaded.changes.num_looks == 3  # and once at the start


def test_where_the_items_cannot_be_changed_requests_are_answered_as_before(loaded: Loaded):
    loaded.changes.error = ServingError("Change 2 of the items is missing.")
    (answer,) = loaded.model.execute([asking_for(1)])
    assert lists(answer) == [["of 1"]]
    assert loaded.logged == ["Change 2 of the items is missing."]


def test_a_damaged_bundle_is_not_served(loaded: Loaded):
    def damaged(directory: Path) -> None:
        raise BundleError(f"{directory / 'popularity.npy'} was changed or damaged.")

    loaded.program.open_bundle = damaged
    with pytest.raises(BundleError, match=r"models/popularity\.npy was changed or damaged"):
        loaded.program.TritonPythonModel().initialize({"model_version": "7"})


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
    RecommendationRequest(history=["i02", "i08"], k=30, filters={"colours": {"any_of": ["white", "blue"]}}),
    RecommendationRequest(history=["i02", "i08"], filters={"colours": {"any_of": ["sold out"]}}),
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


@pytest.fixture(scope="module", params=[4, 3, 2, 1])
def version(server: ServerState, repository: Path, request: pytest.FixtureRequest) -> int:
    """A version, which answers."""
    write(repository, request.param)
    swap(server, repository, request.param)
    return request.param


@pytest.fixture(params=["grpc", "http"])
def recommender(server: ServerState, request: pytest.FixtureRequest) -> Iterator[TritonRecommender]:
    url = server.grpc_url if request.param == "grpc" else server.http_url
    with TritonRecommender(url, request.param, timeout_seconds=60) as recommender:
        yield recommender


@pytest.mark.triton
def test_the_answers_are_those_of_the_bundle_in_process(version: int, recommender: TritonRecommender):
    expected = Expected(version, QUESTIONS)
    for place, (question, answer) in enumerate(zip(QUESTIONS, recommender.recommend(QUESTIONS), strict=True)):
        expected.check(place, answer)
        assert answer.model_version == str(version), question
    in_process = BundleRecommender(bundle_of(version)).recommend(DIVERSE)
    for own, answer in zip(in_process, recommender.recommend(DIVERSE), strict=True):
        assert answer.item_ids == own.item_ids
        assert answer.scores == pytest.approx(own.scores, rel=1e-4, abs=1e-5)


@pytest.mark.triton
def test_similar_items_are_those_of_the_bundle_in_process(version: int, recommender: TritonRecommender):
    in_process = BundleRecommender(bundle_of(version))
    for by in ("model", "content"):
        found, expected = (one.similar(["i02", "i07"], 4, by) for one in (recommender, in_process))
        assert [one.item_id for one in found] == ["i02", "i07"]
        assert [one.measure for one in found] == [one.measure for one in expected]
        for own, other in zip(found, expected, strict=True):
            assert own.similarities == pytest.approx(other.similarities, rel=1e-4)


@pytest.mark.triton
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


@pytest.mark.triton
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


@pytest.mark.triton
@pytest.mark.parametrize(
    "request_",
    [
        RecommendationRequest(history=["i02"], ratings=[9]),
        RecommendationRequest(filters={"size": {"gte": 3}}),
        RecommendationRequest(filters={"colour": {"any_of": ["blue"]}}),
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


@pytest.mark.triton
def test_similar_items_of_what_does_not_exist_are_refused(recommender: TritonRecommender):
    with pytest.raises(RequestError, match="^There is no item 'i99' in board"):
        recommender.similar(["i99"], 3)
    for k, by, message in ((0, "model", "k must be a whole number"), (3, "looks", "by must be model or content")):
        with pytest.raises(RequestError, match=message):
            recommender.similar(["i02"], k, by)  # type: ignore[arg-type]


@pytest.mark.triton
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
    assert scores[1, :2] == pytest.approx(expected[1].scores, rel=1e-5) and (scores[1, 2:] == 0).all()
    assert personalized.tolist() == [[True], [True]]


@pytest.mark.triton
def test_ids_that_are_numbers_may_come_as_such(asking: Asking):
    outputs = ["item_ids", "personalized"]
    numbers = asking(
        "recommend", outputs, history_number=[[2, 8]], user_id_number=[[7]], exclude_items_number=[[4]], k=[[3]]
    )
    texts = asking("recommend", outputs, history=[["2", "8"]], user_id=[["7"]], exclude_items=[["4"]], k=[[3]])
    assert numbers[0].tolist() == texts[0].tolist()
    assert not numbers[1].any()  # the ids of these data are no numbers


@pytest.mark.triton
def test_ten_are_recommended_where_no_number_is_asked_for(asking: Asking):
    assert asking("recommend", ["item_ids"], history=[["i02"]])[0].shape == (1, 10)


@pytest.mark.triton
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"user_id": [["u01"]], "k": [[0]]}, "k must be a whole number of at least 1, but it is 0."),
        ({"user_id": [["u01"]], "k": [[-3]]}, "k must be a whole number of at least 1, but it is -3."),
        ({"user_id": [["u01"]], "user_id_number": [[1]]}, "user_id as text or user_id_number is required, but both"),
        ({"history": [["i02"]], "timestamps": [[1, 2]]}, "timestamps must be one for each item of the history, but 2"),
        ({"timestamps": [[1, 2]]}, "timestamps must be one for each item of the history, but 2 came for no history"),
        ({"history": [["i02"]], "ratings": np.float32([[np.nan]])}, "ratings must be finite numbers, but nan came."),
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


@pytest.mark.triton
def test_a_text_that_is_no_utf_8_is_an_error(asking: Asking):
    with pytest.raises(
        InferenceServerException, match="Texts must be UTF-8, but one is not: 'utf-8' codec can't decode"
    ):
        asking("recommend", ["item_ids"], user_id=np.array([[b"\xff"]], dtype=object), k=[[1]])
