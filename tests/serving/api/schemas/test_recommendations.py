from dataclasses import fields

from recsys_serving.api.schemas.recommendations import ListedItem, RecommendationBody, RecommendationResponse
from recsys_serving.recommending.types import AnsweredItem, RecommendationAnswer, RecommendationQuery


def test_the_described_answer_has_the_fields_of_the_answer():
    names = {field.name for field in fields(RecommendationAnswer)}
    assert set(RecommendationResponse.model_fields) == names | {"trace"}  # of a list that is inspected
    assert set(ListedItem.model_fields) == {field.name for field in fields(AnsweredItem)}


def test_a_body_has_every_field_of_a_query():
    names = {field.name for field in fields(RecommendationQuery)}
    assert set(RecommendationBody.model_fields) == names | {"trace", "preview"}  # how it is answered, and by what


def test_an_empty_body_is_a_query_of_nobody():
    assert RecommendationBody().to_query() == RecommendationQuery()
