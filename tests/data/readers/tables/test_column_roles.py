import pytest

from recsys.data.readers.tables.column_roles import RoleGuess, guess_interaction_roles, guess_title
from recsys.data.readers.tables.table_sample import TableSample

IDS = ["7", "8", "7", "9"]
DAYS = ["2025-01-02", "2025-01-03", "2025-02-01", "2025-02-02"]


def _guessed(columns: dict[str, list[str]]) -> dict[str, RoleGuess]:
    return {guess.role: guess for guess in guess_interaction_roles(TableSample(columns))}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (
            {"customer_no": IDS, "article_no": IDS, "bought_at": DAYS, "quantity": ["1", "1,5", "2", "1"]},
            {"user": "customer_no", "item": "article_no", "timestamp": "bought_at", "weight": "quantity"},
        ),
        (
            {"userId": IDS, "movieId": IDS, "rating": ["4", "3.5", "1", "5"], "timestamp": ["964982703"] * 4},
            {"user": "userId", "item": "movieId", "timestamp": "timestamp", "rating": "rating"},
        ),
        (
            {"User-ID": IDS, "ISBN": ["0X", "1", "2", "3"], "Book-Rating": ["0", "5", "0", "8"]},
            {"user": "User-ID", "item": "ISBN", "rating": "Book-Rating"},
        ),
        (
            {"InvoiceNo": ["A", "A", "B", "B"], "StockCode": IDS, "Quantity": ["6", "6", "8", "6"], "CustomerID": IDS},
            {"user": "CustomerID", "item": "StockCode", "weight": "Quantity"},
        ),
    ],
    ids=["a shop", "films", "books", "invoices"],
)
def test_columns_with_names_of_their_kind_are_sure(columns: dict[str, list[str]], found: dict[str, str]):
    guesses = _guessed(columns)
    assert {role: guess.column for role, guess in guesses.items() if guess.column} == found
    assert all(guess.sure for guess in guesses.values())


def test_an_id_goes_before_what_else_is_said_of_its_owner():
    guess = _guessed({"user_postcode": IDS, "user_id": IDS, "item": IDS})["user"]
    assert (guess.column, guess.sure) == ("user_id", True)


def test_two_names_of_one_kind_are_not_sure():
    guess = _guessed({"user_id": IDS, "customer_id": IDS, "item_id": IDS})["user"]
    assert (guess.column, guess.sure, guess.others) == ("user_id", False, ("customer_id",))


def test_without_a_name_it_is_what_stands_in_it_and_never_sure():
    guesses = _guessed({"a": IDS, "b": ["x", "y", "x", "y"], "c": DAYS, "d": ["1.5", "2.25", "3.5", "1.5"]})
    assert (guesses["user"].column, guesses["user"].sure) == ("a", False)
    assert (guesses["item"].column, guesses["item"].sure) == ("b", False)
    assert (guesses["timestamp"].column, guesses["timestamp"].sure) == ("c", False)
    assert guesses["rating"] == RoleGuess("rating", None, True, ("d",))


def test_a_name_whose_values_do_not_go_with_it_is_no_rating_and_no_time():
    guesses = _guessed(
        {"user": IDS, "item": IDS, "rating": ["good", "bad", "good", "bad"], "time": ["1", "2", "3", "4"]}
    )
    assert guesses["rating"].column is None and guesses["timestamp"].column is None


def test_where_nothing_can_be_ids_there_is_no_guess_and_it_is_not_sure():
    guess = _guessed({"a": ["1.5", "2.5"]})["user"]
    assert (guess.column, guess.sure) == (None, False)


def test_the_title_is_recognised_by_its_name():
    assert guess_title(TableSample({"sku": ["1"], "product_name": ["Tea"]})) == RoleGuess("title", "product_name", True)
    assert guess_title(TableSample({"sku": ["1"]})) == RoleGuess("title", None, True)
