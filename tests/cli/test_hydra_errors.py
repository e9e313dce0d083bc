import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.cli.hydra_errors import COMPOSITION_ERRORS, explained, nested_group, quoted, users_of


def told(*arguments: str, command: str = "train") -> str:
    with pytest.raises(COMPOSITION_ERRORS) as refused:
        compose_config(command, list(arguments))
    return explained(refused.value, arguments, CONFIG_DIRECTORY)


@pytest.mark.parametrize("value", ["a=b", "a,b", "(x)", "it's", 'say "so"', "back\\slash", "[1", "plain"])
def test_a_quoted_argument_is_read_as_the_text_it_was(value):
    shell = quoted(f"user={value}")
    assert shell.startswith("'") and shell.endswith("'")
    argument = shell[1:-1].replace("'\\''", "'")
    assert OverridesParser.create().parse_override(argument).value() == value


def test_what_cannot_be_read_is_told_with_its_quotes():
    assert told("user=a=b").endswith("""must be quoted: 'user="a=b"'""")
    unreadable = told("name=it's (1),x.csv")
    assert unreadable.startswith("name=it's (1),x.csv cannot be read. A value with =") and "Lexer" not in unreadable
    assert "An argument must be a setting with its value" in told("training.batch_size")
    assert "has several values" in told("seed=1,2") and "add -m" in told("seed=1,2")


def test_a_group_without_use_is_told_with_those_that_use_it():
    text = told("model=ease", "training/optimizer=adam")
    assert text.startswith(
        "training/optimizer=adam has no effect, as the chosen training has no optimizer. These have:"
    )
    assert "training=sampled_negatives" in text and "training=none" not in text


def test_a_choice_or_a_setting_that_does_not_exist_is_told():
    assert told("model=eaze").startswith("Could not find 'model/eaze'. Choose one of bayesian_mf, bias")
    assert told("model.embeding_dim=8").startswith("There is no setting model.embeding_dim (Key 'embeding_dim' is not")
    assert told("nothing=1").startswith("There is no setting nothing")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "+model.biases=true",
            "+model.biases=true adds a setting, but there is one of that name. Leave out the +: model.biases=true",
        ),
        (
            "~model.foo",
            "~model.foo leaves out a setting, but there is none of that name. --cfg job prints what there is.",
        ),
        (
            "~model.biases=3",
            "~model.biases=3 leaves out a setting of that value, but its value is True. Write ~model.biases.",
        ),
    ],
)
def test_what_is_added_twice_or_left_out_in_vain_is_one_line(argument, message):
    assert told(argument) == message


def test_anything_else_is_one_line_too():
    unknown = COMPOSITION_ERRORS[0]("Something new.\nIt has\n  lines.")
    assert explained(unknown, [], CONFIG_DIRECTORY) == "Something new. It has lines."


@pytest.mark.parametrize(
    ("group", "below", "users"),
    [
        ("training", "negative_sampler", ["sampled_negatives"]),
        ("training", "stacking_folds", ["listwise"]),
        ("model", "encoder", ["two_tower"]),
        ("model", "nothing", []),
    ],
)
def test_who_composes_a_group(group, below, users):
    assert users_of(group, below, CONFIG_DIRECTORY) == users


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("training/optimizer", ("training", "optimizer")),
        ("training.optimizer.lr", ("training", "optimizer")),
        ("+model/weighting", ("model", "weighting")),
        ("candidate_selector.num_candidates", ("training", "candidate_selector")),
        ("seed", None),
        ("data.root", None),
    ],
)
def test_the_group_of_a_key(key, group):
    assert nested_group(key) == group
