from tests.app.conftest import texts


def rate(api, user_id, *items, value=5.0):
    for item_id in items:
        api.append_interaction({"user_id": user_id, "item_id": item_id, "type": "rating", "value": value})


def cards(page):
    """Ids of the items of the list, in order."""
    return [name.removeprefix("why ") for name in (one.key or "" for one in page.button) if name.startswith("why ")]


def test_nobody_is_chosen_at_first(address, open_page):
    page = open_page("for_you")
    assert not page.exception and "Choose a user" in texts(page) and cards(page) == []


def test_a_new_visitor_rates_and_the_list_becomes_their_own(address, api, open_page):
    page = open_page("for_you")
    next(one for one in page.button if one.label == "New visitor").click().run()
    user_id = page.query_params["user"]
    assert user_id.startswith("visitor-") and "This is what is popular" in texts(page)
    (stars, *_) = [one for one in page.feedback if one.key.startswith("rate ask")]
    stars.set_value(4).run()
    assert not page.exception and "This is what is popular" not in texts(page)
    (stored,) = api.interactions(user_id)
    assert (stored["type"], stored["value"]) == ("rating", 5.0) and stored["item_id"] in stars.key
    parities = {int(item_id[1:]) % 2 for item_id in cards(page)[:3]}
    assert parities == {int(stored["item_id"][1:]) % 2}  # on the board one colour is liked
    assert "Because you liked" in texts(page)


def test_a_rating_in_the_list_names_the_list_and_can_be_taken_back(address, api, open_page):
    rate(api, "anna", "i02")
    page = open_page("for_you", user="anna")
    item_id = cards(page)[1]
    next(one for one in page.feedback if one.key.startswith(f"rate card anna {item_id} ")).set_value(3).run()
    stored = api.interactions("anna")[0]
    assert (stored["item_id"], stored["position"]) == (item_id, 2) and stored["recommendation_id"]
    assert item_id not in cards(page)
    next(one for one in page.button if one.key == f"take back {stored['event_id']}").click().run()
    assert len(api.interactions("anna")) == 1 and item_id in cards(page)


def test_what_is_known_is_shown_where_it_is_wanted(address, api, open_page):
    rate(api, "anna", "i02")
    page = open_page("for_you", user="anna")
    assert "i02" not in cards(page)
    page.toggle("hide seen").set_value(False).run()
    page.slider("k").set_value(40).run()
    assert "i02" in cards(page)


def test_filters_come_from_the_columns_and_empty_lists_say_so(address, api, open_page):
    rate(api, "anna", "i02")
    page = open_page("for_you", user="anna")
    page.multiselect("filter colours").set_value(["white"]).run()
    assert cards(page) and all(int(item_id[1:]) % 2 == 1 for item_id in cards(page))
    next(one for one in page.button if one.label == "Clear filters").click().run()
    assert page.multiselect("filter colours").value == []


def test_diversity_shows_what_it_does(address, api, open_page):
    rate(api, "anna", "i02")
    page = open_page("for_you", user="anna")
    assert not page.metric
    page.slider("diversity").set_value(0.9).run()
    (similarity,) = page.metric
    assert not page.exception and "Similarity within the list" in similarity.label
    assert float(similarity.value) <= float(similarity.delta.split()[-1])
    assert list(page.table[0].value.columns) == ["Item", "Before", "Diverse", "Change"]


def test_what_if_shows_the_list_without_a_rating(address, api, open_page):
    rate(api, "anna", "i02", "i03")
    page = open_page("for_you", user="anna")
    page.selectbox("what if").set_value("i02").run()
    (table,) = page.table
    assert not page.exception and list(table.value.columns) == ["Item", "With it", "Without", "Change"]
    assert "Square 2" not in list(table.value["Item"])


def test_a_click_that_changes_nothing_does_not_note_the_list_again(address, api, store, open_page):
    rate(api, "anna", "i02")
    page = open_page("for_you", user="anna")
    first = page.session_state["shown list"][2]["recommendation_id"]
    page.selectbox("what if").set_value("i02").run()
    assert page.session_state["shown list"][2]["recommendation_id"] == first


def test_a_user_who_is_not_there_can_be_made(address, api, open_page):
    api.create_user("anna")
    page = open_page("for_you", user="an")
    assert "There is no user an yet" in texts(page) and "anna" in [one.label for one in page.button]
    next(one for one in page.button if one.label == "Make an").click().run()
    assert api.user("an")["user_id"] == "an" and "Recommended for an" in texts(page)


def test_other_items_are_asked_about_until_none_is_left(address, api, open_page):
    api.create_user("anna")
    page = open_page("for_you", user="anna")
    first = {one.key for one in page.feedback if one.key.startswith("rate ask")}
    next(one for one in page.button if one.label == "Ask about others").click().run()
    assert first.isdisjoint({one.key for one in page.feedback if one.key.startswith("rate ask")})


def test_a_rating_that_cannot_be_saved_is_said(address, api, open_page, monkeypatch):
    from app.service.api import ServiceApi
    from app.service.errors import NotNow

    def refuse(self, body):
        raise NotNow("The spool is full.", 503)

    api.create_user("anna")
    page = open_page("for_you", user="anna")
    monkeypatch.setattr(ServiceApi, "append_interaction", refuse)
    next(one for one in page.feedback if one.key.startswith("rate ask")).set_value(4).run()
    assert "It was not saved. The spool is full." in texts(page) and cards(page)


def test_why_an_item_is_there_is_drawn_and_tabled(address, api, open_page):
    rate(api, "anna", "i02", "i04")
    page = open_page("for_you", user="anna")
    next(one for one in page.button if one.key == f"why {cards(page)[0]}").click().run()
    assert not page.exception
    assert any("Square 2" in str(one.value) for one in page.table) and "rs-bars" in texts(page)


def test_without_a_service_the_page_says_how_to_start_it(open_page):
    page = open_page("for_you")
    assert not page.exception and "The service does not answer" in texts(page)
    assert page.code[0].value == "make serve"
