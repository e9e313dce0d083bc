import pandas as pd

from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.newer_data.held_out import HeldOut
from recsys.studies.newer_data.report import newer_tables, write_newer_report
from recsys.studies.newer_data.scoring import measured
from recsys.studies.newer_data.verdict import verdict
from tests.studies.newer_data.small_shop import contestant

USERS = [f"u{place}" for place in range(12)]
HELD_OUT = HeldOut(
    "newer.csv",
    pd.DataFrame({"user_id": USERS, "item_id": ["b"] * 12}),
    pd.DataFrame({"user_id": [], "item_id": []}),
    *(15, 0, 3, 0, 0, {"old": 0.0, "new": 0.0}, {"old": 0, "new": 0}),
)


def test_the_page_says_what_was_compared_what_came_of_it_and_what_to_do(tmp_path):
    contestants = [
        contestant("old", [("u1", "a")], {None: ["a", "c"]}, is_bundle=True),
        contestant("new", [("u1", "a")], {None: ["b", "c"]}, is_bundle=True),
    ]
    comparison = compare([measured(one, HELD_OUT, 10) for one in contestants], Settings())
    path = write_newer_report(comparison, HELD_OUT, verdict(comparison, contestants), tmp_path / "out")
    text = path.read_text()
    assert text.startswith("# 2 contestants on newer.csv\n")
    assert "15 interactions, of which 12 of 12 users are to be recovered (left out: 3 repeated)." in text
    assert "**promote new: " in text and "scripts/promote.py bundle=bundles/new alias=champion" in text
    assert [table.title for table in newer_tables(comparison)] == ["Accuracy", "ndcg@10 against old", "By segment"]
