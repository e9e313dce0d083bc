import pytest

from recsys.errors import RetrievalError
from recsys.recommendation.catalogue_columns import content_column_of, content_of, item_columns, reranker
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.mmr import MMR
from tests.models.board_data import NUM_ITEMS, prepared_board


def test_values_are_separated_as_the_data_declare():
    # the colours of item 0 are "black|even"
    columns = item_columns(prepared_board())
    even = [item % 2 == 0 for item in range(NUM_ITEMS)]
    assert columns.with_any("colours", ["black"]).tolist() == even
    assert columns.with_any("colours", ["even"]).tolist() == even


def test_the_column_of_diversity_is_the_first_with_several_values():
    assert content_column_of(prepared_board()) == "colours"


def test_lists_are_diversified_by_the_first_multi_valued_feature():
    assert content_of(prepared_board()).vocabulary == ("black", "even", "odd", "white")
    assert len(content_of(prepared_board(), "title").vocabulary) == NUM_ITEMS


def test_diversity_is_chosen_by_name():
    assert reranker(None, 0.3, prepared_board(), None) is None
    assert isinstance(reranker("mmr", 0.3, prepared_board(), None), MMR)
    assert isinstance(reranker("calibrated", 0.3, prepared_board(), None), CalibratedReranker)
    with pytest.raises(RetrievalError, match="must be mmr, calibrated or null, but it is most"):
        reranker("most", 0.3, prepared_board(), None)
