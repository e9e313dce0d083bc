from pathlib import Path

from recsys_serving.recommending.service import RecommendingOptions


def test_the_budgets_of_the_stages_fit_into_that_of_the_answer():
    options = RecommendingOptions(bundles=Path("bundles"), bundle="first", cursor_secret=b"x" * 32)
    assert options.store_timeout_seconds + options.runtime_timeout_seconds < options.deadline_seconds
