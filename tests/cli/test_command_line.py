import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from recsys.cli.command_line import id_as_written, id_setting, ids_as_written
from recsys.errors import RecsysError


def parsed(argument: str):
    """What Hydra makes of a setting."""
    override = OverridesParser.create().parse_override(argument)
    return OmegaConf.create({"value": override.value()}).value


@pytest.mark.parametrize("text", ["196", "007", "1e5", "1_000", "true", "nan", "0x10", "anna", "-1", "1.50"])
def test_an_id_is_what_was_written(text):
    argument = f"user={text}"
    assert id_as_written("user", parsed(argument), ["k=10", argument]) == text


def test_quotes_are_no_part_of_an_id():
    assert id_as_written("user", parsed("user='1e5'"), ["user='1e5'"]) == "1e5"


def test_the_last_of_repeated_arguments_counts():
    assert id_as_written("user", 2, ["user=1e5", "user=2", "users=3"]) == "2"


@pytest.mark.parametrize(
    ("argument", "ids"),
    [
        ("history=[50,172,1]", ["50", "172", "1"]),
        ("history=[1e5,007, 1_000 ,true,x]", ["1e5", "007", "1_000", "true", "x"]),
        ("history=[1e5]", ["1e5"]),
        ("""history=['a,b',1e5,"c, 'd'",2]""", ["a,b", "1e5", "c, 'd'", "2"]),
        (r"history=[1e5,a\,b,1e5]", ["1e5", "a,b", "1e5"]),
        (r"history=['it\'s, so',1e5]", ["it's, so", "1e5"]),
    ],
)
def test_ids_of_a_list_are_what_was_written(argument, ids):
    assert ids_as_written("history", parsed(argument), [argument]) == ids


def test_ids_that_are_not_from_the_command_line_are_taken_as_they_are():
    assert ids_as_written("history", OmegaConf.create([50, "x"]), ["k=3"]) == ["50", "x"]
    assert id_as_written("user", 50, ["k=3"]) == "50"


@pytest.mark.parametrize("argument", ["history=50", "history=x", "history=[]", "history=[[1],2]", "history=[{a: 1}]"])
def test_anything_but_a_list_of_ids_is_refused(argument):
    with pytest.raises(RecsysError, match=r"history must be a list of ids, such as 'history=\[50,172,1\]'"):
        ids_as_written("history", parsed(argument), [argument])


ODD_IDS = ["196", "007", "B00-1x", "a b", "a=b", "a,b", "[x]", "it's", 'say "x"', "null", "NaN", "back\\", ""]


@pytest.mark.parametrize("text", ODD_IDS)
def test_a_setting_of_an_id_gives_the_id(text):
    setting = f"user={id_setting(text)}"
    assert id_as_written("user", parsed(setting), [setting]) == text


def test_a_setting_of_many_ids_gives_them():
    setting = f"history=[{','.join(map(id_setting, ODD_IDS))}]"
    assert ids_as_written("history", parsed(setting), [setting]) == ODD_IDS


@pytest.mark.parametrize("text", ["196", "B00-1x"])
def test_a_plain_id_needs_no_quotes(text):
    assert id_setting(text) == text
