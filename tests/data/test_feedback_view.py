import numpy as np
import pytest

from recsys.data.feedback_view import FeedbackView
from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.readers.table import TableReader
from recsys.errors import DataError


def prepared(directory, columns="user_id,item_id,rating", rows=("a,x,5", "a,y,2", "b,x,4", "b,y,3"), threshold=4):
    (directory / "ratings.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
    reader = TableReader(directory / "ratings.csv", name="four")
    return load_or_prepare(directory / "prepared", reader, Preparation(positive_threshold=threshold))


def test_the_implicit_view_has_the_likes_alone(tmp_path):
    view = FeedbackView.implicit(prepared(tmp_path))
    assert view.kind == "implicit"
    assert view.interactions.rating.tolist() == [5, 4]
    assert view.positive.tolist() == [True, True]


def test_the_explicit_view_has_every_rating_and_tells_the_likes(tmp_path):
    view = FeedbackView.explicit(prepared(tmp_path))
    assert view.kind == "explicit"
    assert view.interactions.rating.tolist() == [5, 2, 4, 3]
    assert view.positive.tolist() == [True, False, True, False]


def test_without_a_threshold_every_rating_is_a_like(tmp_path):
    assert FeedbackView.explicit(prepared(tmp_path, threshold=None)).positive.all()


def test_a_model_of_ratings_learns_from_all_rows_and_others_from_the_likes_among_them(tmp_path):
    view = FeedbackView.explicit(prepared(tmp_path))
    train = np.array([0, 1, 3])
    assert view.training_interactions(train, rates=True).rating.tolist() == [5, 2, 3]
    assert view.training_interactions(train, rates=False).rating.tolist() == [5]


def test_data_without_ratings_have_no_explicit_view(tmp_path):
    data = prepared(tmp_path, "user_id,item_id", ("a,x", "a,y"), threshold=None)
    with pytest.raises(DataError, match="The explicit view needs ratings, but four has none"):
        FeedbackView.explicit(data)
