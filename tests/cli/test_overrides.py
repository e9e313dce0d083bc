import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recsys.cli.overrides import quoted_text, setting_of


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


@pytest.mark.parametrize("value", ["a=b", "a,b", "it's", 'say "so"', "a\\b", "a\\", 'a\\"b', "\\\\", "[1", "", "${x}"])
def test_hydra_reads_a_quoted_text_as_it_is(value):
    read = OverridesParser.create().parse_override(f"user={quoted_text(value)}").value()
    assert read.replace("\\$", "$") == value
