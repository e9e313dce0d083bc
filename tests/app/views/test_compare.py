from tests.app.conftest import texts
from tests.app.views.test_for_you import rate


def test_two_lists_of_a_user_and_the_way_to_them(address, api, open_page):
    nobody = open_page("compare")
    assert not nobody.exception and "Choose a user whose lists are compared" in texts(nobody)
    rate(api, "anna", "i02", "i04")
    page = open_page("compare", user="anna")
    assert not page.exception and "Both lists are the same." in texts(page)
    assert "Square 2" in texts(page) and "found by EASE" in texts(page)
    steps = next(one.value for one in page.table if "Step" in one.value.columns)
    assert steps["Step"].iloc[0] == "Found by EASE" and len(steps) >= 2
    (candidates,) = page.dataframe
    became = candidates.value["What became of it"].tolist()
    assert [one for one in became if one.startswith("rank")] == [f"rank {rank}" for rank in range(1, 11)]
