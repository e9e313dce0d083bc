import pytest
import torch
from rich.console import Console

from recsys.errors import ModelError
from recsys.models.interface.protocols import Query
from recsys.recommendation.explanations import explain_list
from recsys.recommendation.sampled_explanation import SampledModelExplainer
from recsys.reporting.explanation_table import explained_table
from tests.models.board_data import prepared_board
from tests.models.test_contract import fitted, scores_of

ITEMS = torch.tensor([7, 3, -1])


def explained(name, user=1, **settings):
    board = fitted(name)
    query = board.task.query(torch.tensor([user]))
    scores = scores_of(board.model, query)[0, ITEMS.clamp(min=0)]
    return explain_list(board.model, prepared_board(), query, ITEMS, scores, **settings), query, board.model


def printed(explanation):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(explained_table(prepared_board(), "For [user] 1", explanation))
    return capture.get()


def test_names_the_interactions_with_the_largest_parts():
    explanation, query, model = explained("ease")
    assert explanation.items.tolist() == [7, 3]
    parts = model.explain(query, ITEMS[None]).contributions
    for place, reasons in enumerate(explanation.reasons):
        order = parts[:, place].argsort(descending=True)[:3]
        assert [contribution.item for contribution in reasons.contributions] == query.histories.items[order].tolist()
        assert [contribution.part for contribution in reasons.contributions] == pytest.approx(
            parts[order, place].tolist()
        )
    assert explanation.method.startswith("Exact")


def test_says_what_is_shared():
    explanation, _, _ = explained("ease")
    contribution = explanation.reasons[0].contributions[0]
    assert contribution.item % 2 == 1  # user 1 likes odd numbers
    assert {shared.text for shared in contribution.shared} == {"odd", "white"}


def test_parts_below_zero_are_no_causes():
    explanation, _, _ = explained("ease", num_contributions=100)
    assert all(contribution.part > 0 for reasons in explanation.reasons for contribution in reasons.contributions)


def test_a_model_that_does_not_explain_itself_is_sampled():
    explanation, _, _ = explained("user_knn", num_contributions=2)
    assert all(len(reasons.contributions) == 2 for reasons in explanation.reasons)
    assert "standard error of each is at most 0." in explanation.method


def test_short_histories_need_no_samples():
    board = fitted("user_knn")
    query = Query(torch.tensor([-1]), board.task.histories.take(torch.tensor([-1])))
    assert explain_list(board.model, prepared_board(), query, ITEMS[:0], ITEMS[:0]).method.startswith("Exact")


def test_older_interactions_are_named_together(monkeypatch):
    monkeypatch.setattr(
        "recsys.recommendation.explanations.explainer_of", lambda model: SampledModelExplainer(model, max_items=4)
    )
    explanation, query, _ = explained("user_knn")
    num_older = int(query.histories.counts[0]) - 4
    assert explanation.reasons[0].num_older == num_older
    older = set(query.histories.items[:num_older].tolist())
    assert not older & {contribution.item for reasons in explanation.reasons for contribution in reasons.contributions}
    assert f"{num_older} older interactions together" in printed(explanation)


@pytest.mark.parametrize("name", ["mf", "popularity"])
def test_without_parts_popularity_and_content_are_told(name):
    explanation, query, model = explained(name)
    assert "No parts, but popularity" in explanation.method
    assert type(model).__name__ in explanation.method
    reasons = explanation.reasons[0]
    assert reasons.popularity == 40  # everyone has rated everything
    assert [contribution.item % 2 for contribution in reasons.contributions] == [1]
    assert reasons.contributions[0].item in query.histories.items.tolist()
    text = printed(explanation)
    assert "popular: 40 interactions" in text
    assert "with Square" in text


def test_the_table_shows_each_cause_with_its_part():
    explanation, _, _ = explained("ease")
    text = printed(explanation)
    assert "For [user] 1" in text
    first = explanation.reasons[0].contributions[0]
    line = next(line for line in text.splitlines() if f"Square {first.item}: shares" in line)
    assert line.split("|")[-2].strip() == f"{first.part:+#.3g}"
    assert len([line for line in text.splitlines() if "Square" in line]) == 2 + 6


def test_causes_must_be_asked_for():
    with pytest.raises(ModelError, match="at least 1 cause, but num_causes is 0"):
        explained("ease", num_contributions=0)
