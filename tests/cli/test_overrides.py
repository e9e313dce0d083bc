import pytest

from recsys.cli.overrides import setting_of


@pytest.mark.parametrize(
    ("override", "setting"),
    [
        ("trials=5", "trials"),
        ("model.l2=5", "model"),
        ("+search.model.l2={low: 1.5, high: 2}", "search"),
        ("++data.root=a/b@c", "data"),
        ("~tuned", "tuned"),
        ("model/weighting=bm25", "model"),
        ("model@other=ease", "model"),
    ],
)
def test_the_setting_is_what_stands_before_any_value_or_part(override, setting):
    assert setting_of(override) == setting
