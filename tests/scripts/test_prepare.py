from pathlib import Path

import pytest

from recsys.data.prepared import open_prepared
from tests.scripts.running import Scripts

RATINGS = """user_id,item_id,rating,timestamp
7,x,5,10
007,x,3,20
007,y,4,30
é,y,1,40
é,y,2,50
"""

TABLE = ("data=table", "data.interactions=ratings.csv")


@pytest.fixture(autouse=True)
def ratings(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS, encoding="utf-8")


def test_it_prints_counts_and_rules_and_ends_with_the_directory(scripts: Scripts) -> None:
    finished = scripts("prepare", *TABLE, "preparation.positive_threshold=4")
    assert finished.status == 0, finished.err
    lines = [" ".join(line.split()) for line in finished.out.splitlines()]
    for line in (
        "users 3",
        "items 2",
        "interactions 4",
        "density 66.6667%",
        "positives (rated 4 or higher) 2",
        "ratings 2 to 5, mean 3.50",
        "time 10 to 50",
    ):
        assert line in lines
    duplicates = next(line for line in lines if line.startswith("duplicates"))
    assert duplicates.startswith("duplicates removed 1 interactions (of a user's interactions with one item the latest")
    assert "k-core removed nothing" in lines
    start, _, directory = lines[-1].partition(": ")
    assert start == "prepared"
    assert Path(directory).parent == Path("data/prepared")
    assert len(open_prepared(scripts.directory / directory, verify=True).interactions) == 4


def test_it_leaves_nothing_else_behind(scripts: Scripts) -> None:
    scripts("prepare", *TABLE)
    assert sorted(path.name for path in scripts.directory.iterdir()) == ["data", "ratings.csv"]


def test_prepared_data_are_opened_the_second_time(scripts: Scripts) -> None:
    first = scripts("prepare", *TABLE)
    schema = next(scripts.directory.glob("data/prepared/table-*/schema.json"))
    written = schema.stat().st_mtime_ns
    assert scripts("prepare", *TABLE) == first
    assert schema.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("preparation.invalid_rows=keep", "error: preparation.invalid_rows must be error or drop, but it is keep"),
        ("preparation.min_user_interactions=9", "error: The rules leave none of 5 interactions"),
        ("preparation.positive_threshold=6", "error: No interaction reaches preparation.positive_threshold=6"),
        ("data.interactions=nowhere.csv", "error: "),
    ],
)
def test_a_users_error_is_one_message(scripts: Scripts, override: str, message: str) -> None:
    finished = scripts("prepare", *TABLE, override)
    assert finished.status == 2
    assert finished.err.startswith(message)
    assert "Traceback" not in finished.err + finished.out
    assert not list(scripts.directory.glob("data/prepared/[!.]*"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("preparation.min_users=5", "Key 'min_users' is not in struct"),
        ("+preparation.min_users=5", "preparation has no setting 'min_users', but min_user_interactions"),
        ("data=movielens_9000m", "Could not find 'data/movielens_9000m'"),
    ],
    ids=["unknown key", "added key", "unknown data set"],
)
def test_a_wrong_option_is_told_without_a_traceback(scripts: Scripts, override: str, message: str) -> None:
    finished = scripts("prepare", *TABLE, override)
    assert finished.status == 2
    assert message in finished.err
    assert "Traceback" not in finished.err + finished.out


SHOP = """sku;name;tags;listed;price;gone
x;Tea [/b] :smile:;hot|cheap;2024-05-31;2,5;False
y;[import];hot;2024-06-01;10;True
z;Cake;cheap|hot;;0,75;False
"""


def test_it_prints_what_each_column_holds_and_what_was_recognised(scripts: Scripts) -> None:
    (scripts.directory / "shop.csv").write_text(SHOP, encoding="utf-8")
    (scripts.directory / "sales.txt").write_text("customer|sku|till\n1|x|9\n2|y|9\n2|z|9\n", encoding="utf-8")
    columns = ("data.columns.user=customer", "data.columns.item=sku", "data.columns.title=name")
    finished = scripts("prepare", "data=table", "data.interactions=sales.txt", "data.items=shop.csv", *columns)
    assert (finished.status, finished.err) == (0, "")
    lines = [" ".join(line.split()) for line in finished.out.splitlines()]
    for line in (
        "columns of the interactions",
        "user_id id 2 1",
        "columns of the items",
        "title text 3 Tea [/b] :smile:",
        "tags multi-valued 2 hot|cheap",
        "listed date 2 33.3% 2024-05-31",
        "price number 3 2.5",
        "gone boolean 2 false",
        "interactions: fields are separated by '|', as recognised",
        "interactions: columns that are not read: till",
        "items: fields are separated by ';', as recognised",
        "items: price is read as numbers with decimal commas",
        "items: gone is read as truth values",
        "items: listed is read as dates",
        "items: tags holds several values in a text, separated by '|'; 'data.list_separators={tags: null}' keeps "
        "each text as one value",
        "3 of 3 items have a row in the items table (100.0%)",
    ):
        assert line in lines


def test_a_warning_is_a_line_each_time_and_an_error_where_the_user_says_so(scripts: Scripts) -> None:
    (scripts.directory / "ratings.csv").write_text("user_id,item_id\nu,x\nu ,y\nv,x\n", encoding="utf-8")
    warning = (
        "warning: 3 users are 2 if white space around ids does not count: 'u' and 'u ', for example. "
        "Set preparation.strip_ids=true to strip it.\n"
    )
    assert scripts("prepare", *TABLE).err == warning
    assert scripts("prepare", *TABLE).err == warning  # of data that are prepared already
    refused = scripts("prepare", *TABLE, "strict=true")
    assert refused.status == 2
    assert refused.err.startswith("error: strict=true makes 1 warning about the data an error: 3 users are 2 if")
    stripped = scripts("prepare", *TABLE, "preparation.strip_ids=true", "strict=true")
    assert (stripped.status, stripped.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "content", "overrides"),
    [
        ("r.dat", "7::x::4\n8::y::5\n", ("data.header=[user_id,item_id,rating]",)),
        ("r.csv", "7;x;4\n8;y;5\n", ("data.header=false", "data.columns.user=0", "data.columns.item=1")),
        ("r.tsv", "user_id,item_id\r7,x\r8,y\r", ()),
        ("r.json", '[{"user_id": 7, "item_id": "x"},\n {"user_id": 8, "item_id": "y"}]', ()),
        ("r.csv", "user_id,item_id\n7,x\n8,y\n".encode("utf-16"), ()),
        ("r.csv", "user_id\titem_id\n7\tx\n8\ty\n", ("data.separator=tab",)),
    ],
)
def test_files_of_many_forms_are_read(
    scripts: Scripts, name: str, content: str | bytes, overrides: tuple[str, ...]
) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (scripts.directory / name).write_bytes(data)
    finished = scripts("prepare", "data=table", f"data.interactions={name}", *overrides)
    assert (finished.status, finished.err) == (0, "")
    directory = finished.out.strip().splitlines()[-1].removeprefix("prepared: ")
    assert open_prepared(scripts.directory / directory).user_vocabulary.ids.to_pylist() == ["7", "8"]
