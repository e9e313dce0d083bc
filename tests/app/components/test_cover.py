import xml.etree.ElementTree as ElementTree

import pytest

from app.components.cover import _PATTERN_OPACITY, background, cover_html, cover_svg, initials

TITLES = ["Star Wars", "Il Postino", "七人の侍", "<script>", "", "M*A*S*H", "Ünï & Cödé", "a" * 300]
CATEGORIES = ["", "Drama", "Sci-Fi & <b>", *(f"category {number}" for number in range(60))]


def luminance(red, green, blue):
    """Relative luminance as WCAG 2 has it."""
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("title", TITLES)
def test_a_cover_is_the_same_each_time_and_well_formed(title):
    svg = cover_svg(title, "Drama & Romance")
    assert svg == cover_svg(title, "Drama & Romance")
    ElementTree.fromstring(svg)
    assert "<script" not in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_titles_have_covers_of_their_own_and_categories_have_colours():
    covers = {cover_svg(f"Title {number}", "Drama") for number in range(50)}
    assert len(covers) == 50
    assert background("A", "Drama") != background("A", "Comedy")


@pytest.mark.parametrize("category", CATEGORIES)
def test_white_text_can_be_read_on_every_background(category):
    for title in TITLES:
        for colour in background(title, category):
            under = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
            lightest = [value + (1 - value) * _PATTERN_OPACITY for value in under]
            assert 1.05 / (luminance(*lightest) + 0.05) >= 4.5, (title, category, colour)


def test_initials_are_those_of_words_that_say_something():
    assert [initials(one) for one in ("The Lord of the Rings", "Godfather, The", "7 up", "The", "...", "")] == [
        "LR",
        "G",
        "7U",
        "T",
        ".",
        "?",
    ]


def test_the_picture_is_in_the_page_itself():
    assert 'src="data:image/svg+xml;base64,' in cover_html("A", "B") and 'alt=""' in cover_html("A", "B")
