from pathlib import Path

import pytest
from recsys_serving.recommending.options import RecommendingOptions

from recsys.errors import SettingsError

NEEDED = {"bundles": Path("bundles"), "bundle": "first", "cursor_secret": b"x" * 32}


def test_the_defaults_fit_together():
    options = RecommendingOptions(**NEEDED)
    assert options.runtime == "inprocess" and options.deadline_seconds < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cursor_secret": b"short"}, "cursor_secret must have 16 bytes or more"),
        ({"runtime": "triton"}, "runtime=triton requires triton_url"),
        ({"store_timeout_seconds": 2.0}, "must fit into deadline_seconds=0.8, but they are 2.5 s together"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        RecommendingOptions(**{**NEEDED, **changes})
