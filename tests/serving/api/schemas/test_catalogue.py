from recsys_serving.api.schemas.catalogue import CatalogueResponse
from recsys_serving.recommending.catalogue.catalogue_description import CatalogueDescription, ColumnDescription

GENRES = ColumnDescription("genres", "category", True, 1, 2, (("Drama", 3), ("War", 1)))


def test_columns_and_ratings_are_told():
    told = CatalogueDescription("first", "films", 4, True, (GENRES,), "genres", (1.0, 5.0), 4.0)
    answer = CatalogueResponse.of(told).model_dump()
    assert answer["ratings"] == {"minimum": 1.0, "maximum": 5.0, "liked_from": 4.0}
    assert answer["columns"][0]["values"] == [{"value": "Drama", "num_items": 3}, {"value": "War", "num_items": 1}]


def test_data_without_ratings_have_none():
    assert CatalogueResponse.of(CatalogueDescription("b", "shop", 0, False, (), None, None, None)).ratings is None
