from recsys_serving.recommending.reasons import explanation_of, reasons_of

from recsys.runtime.recommendation import Contribution, ItemExplanation, SharedAttribute


def titles_of(ids):
    return [f"Title {name}" for name in ids]


def test_items_of_the_history_are_named_with_what_they_share():
    drama = SharedAttribute("Drama", 1.0)
    contributions = (Contribution("a", 0.5, (drama,)), Contribution("b", 0.2))
    assert reasons_of(ItemExplanation(contributions), titles_of) == (
        "Because of Title a (shares Drama).",
        "Because of Title b.",
    )


def test_no_more_than_three_are_named():
    contributions = tuple(Contribution(name, 1.0) for name in "abcde")
    assert len(reasons_of(ItemExplanation(contributions), titles_of)) == 3


def test_older_items_and_popularity_are_reasons_as_well():
    explanation = ItemExplanation((), num_older=12, older_value=0.5, popularity=1583)
    assert reasons_of(explanation, titles_of) == (
        "Because of 12 older items of the history.",
        "Because it is popular: 1,583 interactions.",
    )
    assert reasons_of(ItemExplanation((), num_older=12, older_value=-1.0), titles_of) == ()


def test_the_parts_of_a_score_are_told():
    contributions = (Contribution("a", 0.5, (SharedAttribute("Drama", 1.0),)),)
    assert explanation_of(ItemExplanation(contributions, 2, 0.25, rest=0.125), titles_of) == {
        "contributions": [{"item_id": "a", "title": "Title a", "value": 0.5, "shared": ["Drama"]}],
        "num_older": 2,
        "older_value": 0.25,
        "popularity": None,
        "rest": 0.125,
    }
