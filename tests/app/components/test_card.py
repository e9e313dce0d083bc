from app.components.card import because_of, card_html, meta_html, row_html, score_text, share

COLUMNS = [{"name": "genres", "kind": "category"}]
ITEM = {
    "item_id": "a",
    "title": "<b>Alien</b>",
    "rank": 3,
    "score": 0.5,
    "metadata": {"genres": ["Horror"]},
    "reasons": ["Because of Brazil."],
    "explanation": {"contributions": [{"title": "Brazil & Co"}]},
}


def test_a_card_says_what_a_list_says_and_escapes_it():
    written = card_html(ITEM, COLUMNS, 1.0)
    assert "&lt;b&gt;Alien&lt;/b&gt;" in written and "<b>Alien" not in written
    assert "Horror" in written and "Because you liked <b>Brazil &amp; Co</b>" in written and "width: 50%" in written


def test_a_card_without_score_has_no_bar():
    assert "rs-score" not in card_html(ITEM | {"score": None}, COLUMNS, 1.0)
    assert "rs-score" not in card_html(ITEM, COLUMNS)


def test_without_parts_the_first_reason_is_told():
    assert because_of(ITEM | {"explanation": None}) == "Because of Brazil."
    assert because_of(ITEM | {"explanation": {"contributions": []}, "reasons": []}) == ""


def test_a_row_without_title_has_the_id():
    assert ">a1<" in row_html({"item_id": "a1", "title": None, "metadata": {}}, COLUMNS)


def test_scores_of_any_scale_are_short():
    assert [score_text(one) for one in (0.123456, 583.0, 12345.6, -0.5)] == ["0.123", "583", "12,346", "-0.5"]
    assert [share(1, 4), share(-1, 4), share(1, 0), share(9, 4)] == [25, 0, 100, 100]


def test_a_day_is_not_broken_at_its_hyphens_and_markup_stays_text():
    assert meta_html("fish · 2023-11-29") == 'fish · <span class="rs-whole">2023-11-29</span>'
    assert meta_html("a-very-long-word-of-many") == "a-very-long-word-of-many"
    assert "<" not in meta_html("<i>").replace("&lt;", "")
