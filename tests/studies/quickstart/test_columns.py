import pytest

from recsys.cli.console import PlainConsole
from recsys.data.readers.tables.column_roles import INTERACTION_ROLES
from recsys.data.readers.tables.table_sample import TableSample
from recsys.errors import SettingsError
from recsys.studies.quickstart.columns import GUESS, choose_columns, columns_table

IDS = ["7", "8", "7", "9"]
SHOP = TableSample({"customer_no": IDS, "article_no": IDS, "quantity": ["1", "2", "1", "1"]})
UNCLEAR = TableSample({"kunde": IDS, "ware": ["a", "b", "a", "a"], "quantity": ["1.5", "2", "1", "1"]})
NOTHING = dict.fromkeys((*INTERACTION_ROLES, "title"), GUESS)


def test_what_is_sure_is_taken_without_asking():
    choices = choose_columns(SHOP, TableSample({"article_no": IDS, "name": ["Tea"]}), NOTHING, ask=None)
    found = {choice.role: choice.column for choice in choices}
    assert found == {
        "user": "customer_no",
        "item": "article_no",
        "timestamp": None,
        "rating": None,
        "weight": "quantity",
        "title": "name",
    }


def test_what_is_not_sure_is_asked_for():
    asked: list[tuple[str, list[str]]] = []

    def ask(question, options, likely, optional):
        asked.append((question, list(options)))
        assert not optional
        return likely

    choices = choose_columns(UNCLEAR, None, NOTHING, ask)
    assert [question for question, _ in asked] == [
        "Which column says who: the user, customer or visitor",
        "Which column says what: the item, product or film",
    ]
    assert asked[0][1] == ["kunde", "ware"]
    assert asked[1][1] == ["ware"]
    assert [choice.column for choice in choices[:2]] == ["kunde", "ware"]


def test_where_nobody_can_be_asked_it_is_said_what_to_pass():
    with pytest.raises(SettingsError, match="pass columns.user=kunde or columns.user=ware"):
        choose_columns(UNCLEAR, None, NOTHING, ask=None)


def test_what_is_given_is_not_guessed_again():
    given = {**NOTHING, "user": "kunde", "item": "ware", "weight": None}
    choices = choose_columns(UNCLEAR, None, given, ask=None)
    assert [choice.column for choice in choices] == ["kunde", "ware", None, None, None]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"user": "nobody"}, "columns.user must be among customer_no, article_no, quantity"),
        ({"user": None}, "columns.user must be a column"),
        ({"user": "article_no", "item": "article_no"}, "a column of its own"),
    ],
    ids=["no such column", "none", "one for two"],
)
def test_what_cannot_be_is_refused(given: dict[str, str | None], message: str):
    with pytest.raises(SettingsError, match=message):
        choose_columns(SHOP, None, {**NOTHING, **given}, ask=None)


def test_the_table_shows_values_of_each_column():
    console = PlainConsole(width=100, record=True)
    console.print(columns_table(choose_columns(SHOP, None, NOTHING, ask=None)))
    assert "| user      | customer_no | by its name         | 7, 8, 9  |" in console.export_text()
