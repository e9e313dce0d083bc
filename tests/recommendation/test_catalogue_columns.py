import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.recommendation.catalogue_columns import content_of, reranker, rules
from recsys.retrieval.calibration import CalibratedReranker
from recsys.retrieval.filters import CompositeFilter
from recsys.retrieval.mmr import MMR
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.retrieval.made import requests

EVEN = [item % 2 == 0 for item in range(NUM_ITEMS)]


def allowed(wanted=None, unwanted=None, ranges=None):
    made = rules(prepared_board(), wanted, unwanted, ranges)
    return CompositeFilter(made).allows(requests(num_requests=1), np.arange(NUM_ITEMS)[None])[0].tolist()


def test_values_are_separated_as_the_data_declare():
    # the colours of item 0 are "black|even"
    assert allowed(wanted={"colours": ["black"]}) == EVEN
    assert allowed(wanted={"colours": "even"}) == EVEN
    assert allowed(unwanted={"colours": ["odd"]}) == EVEN


def test_no_wishes_are_no_rules():
    assert rules(prepared_board(), None, None, None) == []


@pytest.mark.parametrize("ends", [1990, "12", [1], [1, 2, 3], ["a", 2]])
def test_a_range_has_two_ends(ends):
    with pytest.raises(RetrievalError, match="two numbers, or null for an open end"):
        allowed(ranges={"item_index": ends})


def test_a_range_may_be_open():
    assert allowed(ranges={"item_index": [None, 3]}) == [item <= 3 for item in range(NUM_ITEMS)]


def test_lists_are_diversified_by_the_first_multi_valued_feature():
    assert content_of(prepared_board()).vocabulary == ("black", "even", "odd", "white")
    assert len(content_of(prepared_board(), "title").vocabulary) == NUM_ITEMS


def test_diversity_is_chosen_by_name():
    assert reranker(None, 0.3, prepared_board(), None) is None
    assert isinstance(reranker("mmr", 0.3, prepared_board(), None), MMR)
    assert isinstance(reranker("calibrated", 0.3, prepared_board(), None), CalibratedReranker)
    with pytest.raises(RetrievalError, match="must be mmr, calibrated or null, but it is most"):
        reranker("most", 0.3, prepared_board(), None)
