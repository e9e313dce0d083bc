import pyarrow as pa
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.item_columns import ItemColumns
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.mmr import MMR
from recsys.retrieval.reranking.rerankers import RERANKERS, make_reranker
from tests.retrieval.made import candidates, requests

COLUMNS = ItemColumns(pa.table({"genres": ["a", "a", "b"], "moods": ["x", "y", "y"]}))


@pytest.mark.parametrize(("name", "kind"), [("mmr", MMR), ("calibrated", CalibratedReranker)])
def test_each_name_has_its_reranker(name, kind):
    assert isinstance(make_reranker(name, 0.5, COLUMNS, "genres"), kind)


def test_all_names_are_tested():
    assert set(RERANKERS) == {"mmr", "calibrated"}


def test_no_name_is_no_reranker_whatever_the_rest_says():
    assert make_reranker(None, 7, COLUMNS, "nowhere") is None


@pytest.mark.parametrize(
    ("column", "weight", "expected"),
    # Item 0 comes first. By genre 1 is like it and 2 is not, by mood neither is; without a weight scores decide.
    [("genres", 1.0, [[0, 2]]), ("moods", 1.0, [[0, 1]]), ("genres", 0.0, [[0, 1]])],
)
def test_the_column_and_the_weight_decide_what_is_chosen(column, weight, expected):
    made = candidates([[0, 1, 2]], [[3, 2, 1]])
    positions = make_reranker("mmr", weight, COLUMNS, column).rerank(requests(num_requests=1), made, 2)
    assert made.at(positions).items.tolist() == expected


def test_an_unknown_name_is_refused():
    with pytest.raises(RetrievalError, match="diversity must be mmr, calibrated or null, but it is most"):
        make_reranker("most", 0.5, COLUMNS, "genres")


def test_items_without_values_are_refused():
    with pytest.raises(RetrievalError, match="Diversity needs items with several values, such as genres"):
        make_reranker("mmr", 0.5, COLUMNS, None)


def test_an_unknown_column_is_refused():
    with pytest.raises(RetrievalError, match="There is no column colours"):
        make_reranker("mmr", 0.5, COLUMNS, "colours")


@pytest.mark.parametrize("name", sorted(RERANKERS))
def test_a_weight_out_of_range_is_refused(name):
    with pytest.raises(RetrievalError, match=r"1\.5"):
        make_reranker(name, 1.5, COLUMNS, "genres")
