import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recsys.cli.positional import action_and_object, as_list, as_settings
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
