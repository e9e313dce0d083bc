import numpy as np
import pytest
from rich.console import Console

from recsys.errors import ModelError
from recsys.reporting.explanation_table import explanation_table
from recsys.retrieval.explanation import BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.runtime.explanations.item_explanations import ItemExplainer
from recsys.runtime.explanations.shared_attributes import SharedAttributes
from recsys.runtime.recommendation import Recommendation
from tests.models.board_data import NUM_ITEMS, prepared_board

HISTORY = [5, 2, 9, 3, 5]
REQUEST = RequestBatch.of(np.array([-1]), RaggedItems.of([HISTORY]), RaggedItems.of([HISTORY]))
ITEMS = np.array([7, 1])
#: Of each interaction of the history to items 7 and 1.
CONTRIBUTIONS = [[0.5, 0.1], [-0.2, 0.2], [0.4, 0.3], [0.1, 0.4], [0.25, 0.5]]
#: That a list shows: of item 1 as much as its contributions, of item 7 a quarter more.
SCORES = np.array([1.3, 1.5])


class Fixed:
    def __init__(self, num_grouped=0, errors=None):
        self.num_grouped, self.errors = num_grouped, errors

    def explain(self, requests, items):
        values = np.where(items[0] >= 0, np.array(CONTRIBUTIONS), np.nan)
        errors = None if self.errors is None else np.full(values.shape, self.errors)
        return BatchExplanation(requests.history, values, np.zeros((1, 2)), errors, np.array([self.num_grouped]))


class Refuses:
    def explain(self, requests, items):
        raise ModelError("Scores that depend on the history are required.")


def explained(explainer, items=ITEMS, seconds=None):
    prepared = prepared_board()
    attributes = SharedAttributes(prepared.items, prepared.schema.item_features)

    def ids_of(indices):
        return [f"i{index:02}" for index in indices.tolist()]

    return ItemExplainer(explainer, attributes, np.full(NUM_ITEMS, 40), NUM_ITEMS, ids_of).explain(
        REQUEST, items, SCORES, seconds
    )


def printed(explanations, method):
    recommendation = Recommendation(
        ["i07", "i01"], SCORES.tolist(), True, "", explanations=explanations, explanation_method=method
    )
    console = Console(width=120)
    with console.capture() as capture:
        console.print(explanation_table(prepared_board().titles_of, "For [user] 1", recommendation))
    return capture.get()


def test_the_largest_contributions_come_first_and_an_item_that_comes_twice_is_added_up():
    (seven, one), method = explained(Fixed())
    # 5 has 0.5 and 0.25; 2 is below zero
    assert [(found.item_id, found.value) for found in seven.contributions] == [
        ("i05", pytest.approx(0.75)),
        ("i09", pytest.approx(0.4)),
        ("i03", pytest.approx(0.1)),
    ]
    assert [found.item_id for found in one.contributions] == ["i05", "i03", "i09"]
    assert method == "Exact: the contributions of the whole history add up to the score."
    assert seven.popularity is None


def test_says_what_is_shared():
    (seven, _), _ = explained(Fixed())
    assert {shared.text for shared in seven.contributions[0].shared} == {"odd", "white"}


def test_the_oldest_interactions_may_be_one():
    (seven, _), method = explained(Fixed(num_grouped=3, errors=0.02))
    assert (seven.num_older, seven.older_value) == (3, pytest.approx(0.5 - 0.2 + 0.4))
    assert [found.item_id for found in seven.contributions] == ["i05", "i03"]
    assert "standard error of each is at most 0.02. The 3 older interactions were taken as one." in method
    assert "3 older interactions together" in printed(*explained(Fixed(num_grouped=3, errors=0.02)))


@pytest.mark.parametrize("num_grouped", [0, 3])
def test_what_is_named_and_the_rest_add_up_to_the_score(num_grouped):
    explanations, _ = explained(Fixed(num_grouped=num_grouped))
    for explanation, score in zip(explanations, SCORES, strict=True):
        named = sum(contribution.value for contribution in explanation.contributions)
        assert named + explanation.older_value + explanation.rest == pytest.approx(score)
    # 5, 9 and 3 are named: 0.75, 0.4 and 0.1 of 1.3
    assert num_grouped or explanations[0].rest == pytest.approx(0.05)
    assert "everything else" in printed(*explained(Fixed()))


def test_errors_of_zero_are_exact():
    assert explained(Fixed(errors=0.0))[1].startswith("Exact")


def test_an_item_that_the_model_does_not_know_has_no_contributions():
    (seven, added), _ = explained(Fixed(), np.array([7, NUM_ITEMS]))
    assert seven.contributions and added.contributions == ()


def test_without_contributions_popularity_and_content_are_told():
    explanations, method = explained(Refuses())
    assert method.startswith("No contributions, but popularity") and "depend on the history" in method
    assert explanations[0].popularity == 40
    (closest,) = explanations[0].contributions
    assert closest.item_id in ("i05", "i09", "i03") and closest.value is None  # odd, as item 7 is
    text = printed(explanations, method)
    assert "popular: 40 interactions" in text and "shares white, odd with Square" in text.replace(
        "odd, white", "white, odd"
    )


def test_the_table_shows_each_contribution_with_its_value():
    text = printed(*explained(Fixed()))
    assert "For [user] 1" in text
    line = next(line for line in text.splitlines() if "Square 5: shares" in line)
    assert line.split("|")[-2].strip() == "+0.750"
    assert len([line for line in text.splitlines() if "Square" in line]) == 2 + 6


class Timed(Fixed):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def explain_within(self, requests, items, seconds):
        self.seconds.append(seconds)
        return self.explain(requests, items)


def test_an_explainer_that_can_hurry_is_told_how_much_time_there_is():
    timed = Timed()
    whole = explained(timed)
    assert timed.seconds == [] and explained(timed, seconds=2.5) == whole and timed.seconds == [2.5]


def test_exact_contributions_are_there_whatever_the_time():
    assert explained(Fixed(), seconds=0.0) == explained(Fixed())


def test_without_time_there_are_no_contributions_and_it_is_said_what_to_do():
    explanations, method = explained(Timed(), seconds=0.0)
    assert "Ask for explanations of fewer users at a time" in method
    assert all(one.popularity == 40 for one in explanations)
