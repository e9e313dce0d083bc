from tests.app.conftest import texts


def test_nothing_is_open_at_first(address, open_page):
    page = open_page("item")
    assert not page.exception and "Search for an item" in texts(page)


def test_an_item_has_its_columns_what_is_like_it_and_what_users_do(address, api, open_page):
    api.append_interaction({"user_id": "anna", "item_id": "i04", "type": "rating", "value": 4.0})
    page = open_page("item", item="i04")
    assert not page.exception and page.header[0].value == "Square 4"
    assert ["Colours", "black, even"] in page.table[0].value.values.tolist()
    opened = [one.key for one in page.button if (one.key or "").startswith("open ")]
    assert {key.split()[1] for key in opened} == {"model", "content"}
    assert "1 interactions, per day" in texts(page) and "anna" not in texts(page)
    other = next(one for one in page.button if (one.key or "").startswith("open content "))
    other.click().run()
    assert page.query_params["item"] == other.key.split()[-1] and page.header[0].value != "Square 4"


def test_an_item_that_nobody_knows_and_one_that_is_not_there(address, open_page):
    assert "Nobody has done anything with it yet" in texts(open_page("item", item="i05"))
    assert "There is no item nothing" in texts(open_page("item", item="nothing"))


def test_an_item_without_title_that_no_list_has(address, store, api, open_page):
    from recsys_serving.store.items.records import ItemDraft

    store.items.put(ItemDraft("bare", None, {}, available=False))
    page = open_page("item", item="bare")
    assert page.header[0].value == "bare" and "It is not available" in texts(page)
