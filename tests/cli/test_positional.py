import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recsys.cli.positional import action_and_object, as_list, as_one, as_settings, long_options
from recsys.errors import RunError


@pytest.mark.parametrize(
    "runs", [["runs/A", "runs/B"], ["runs/a,b", "runs/it's"], ['say "so"', "back\\slash"], ["(1)", "[2]"]]
)
def test_what_stands_alone_is_one_list_of_texts(runs):
    first, *rest = as_settings([*runs[:1], "k=20", *runs[1:], "-m"], as_list("runs"))
    assert rest == ["k=20", "-m"]
    override = OverridesParser.create().parse_override(first)
    assert override.key_or_group == "runs"
    assert [str(getattr(value, "text", value)) for value in override.value()] == runs


def test_without_anything_alone_the_line_stays():
    line = ["runs=[a,b]", "--cfg", "+x=1", "~y"]
    assert as_settings(["runs=[a,b]", "+x=1", "~y"], as_list("runs")) == [text for text in line if text != "--cfg"]


SERVER = action_and_object("action", {"start": "repository", "serve": "version"})


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        (["start", "a/b"], ['action="start"', 'repository="a/b"']),
        (["serve", "20260201"], ['action="serve"', "version=20260201"]),
        (["status"], ['action="status"']),
        (["stop", "directory=x"], ['action="stop"', "directory=x"]),
        (["action=status"], ["action=status"]),
    ],
)
def test_an_action_and_what_it_is_done_with(line, settings):
    assert as_settings(line, SERVER) == settings


@pytest.mark.parametrize("line", [["status", "x"], ["start", "a", "b"]])
def test_what_an_action_does_not_take_is_refused(line):
    with pytest.raises(RunError, match=f"{line[0]} takes no '{line[-1]}'"):
        as_settings(line, SERVER)


def test_one_argument_alone_is_a_setting_and_two_are_refused():
    assert as_settings(["a b.csv", "k=1"], as_one("table")) == ['table="a b.csv"', "k=1"]
    with pytest.raises(RunError, match="One table is required, but a, b came"):
        as_settings(["a", "b"], as_one("table"))


def test_options_are_settings_and_others_stay():
    options = long_options(("items",), ("yes",))
    line = ["a.csv", "--items", "i.csv", "--yes", "--cfg", "job", "k=1"]
    assert options(line) == ["a.csv", 'items="i.csv"', "yes=true", "--cfg", "job", "k=1"]
    assert options(["--items=a=b.csv"]) == ['items="a=b.csv"']
    with pytest.raises(RunError, match="--items requires a value"):
        options(["--items"])
