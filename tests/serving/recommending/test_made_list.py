import orjson
import pytest
from recsys_serving.recommending.made_list import MadeItem, MadeList

MADE = MadeList(
    items=[
        MadeItem("a", "Ä", 0.25, {"year": 1999, "genres": ["x"]}, ("why",), {"rest": 0.5}),
        MadeItem("b", "b", None, {}, ()),
    ],
    model_version="ease",
    personalized=True,
    notes=("note",),
    unknown_items=("u",),
    unknown_values=("age: 3",),
    unknown_filter_values=("genre: x",),
    explanation_method="Exact.",
    promoted=("b",),
)


def test_a_list_comes_back_as_it_was():
    assert MadeList.decoded(MADE.encoded()) == MADE


def test_a_list_is_compact():
    many = MadeList([MadeItem(f"item-{place}", "A title (1999)", 0.123456, {}, ()) for place in range(100)], "m", True)
    assert len(many.encoded()) < 100 * 60


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"[1,2]", MADE.encoded()[:-3], orjson.dumps([1] * 9)])
def test_what_is_no_list_is_none(content):
    assert MadeList.decoded(content) is None
