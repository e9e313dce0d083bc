"""What the columns of the items hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys_serving.api.schemas.base import ResponseBody
from recsys_serving.recommending.catalogue.catalogue_description import (
    MAX_VALUES,
    CatalogueDescription,
    ColumnDescription,
)


class ColumnValue(ResponseBody):
    """A value that items have."""

    value: str
    num_items: int


class ColumnResponse(ResponseBody):
    """A column of the items, and so a filter."""

    name: str
    kind: Literal["category", "number", "date", "boolean", "text"] = Field(
        description="category: values that many items share; number and date: they have a range; text: nearly every "
        "item has a value of its own."
    )
    multiple: bool = Field(description="Whether an item may have several values.")
    num_missing: int = Field(description="Items without a value.")
    num_values: int | None = Field(description="Distinct values; null of numbers and dates.")
    values: list[ColumnValue] = Field(description=f"The {MAX_VALUES} most frequent ones; none of text.")
    minimum: float | str | None = Field(description="Of numbers, or of dates as ISO 8601.")
    maximum: float | str | None
    whole: bool = Field(description="Whether all numbers are whole.")

    @classmethod
    def of(cls, one: ColumnDescription) -> ColumnResponse:
        """That of a column."""
        return cls(
            name=one.name,
            kind=one.kind,
            multiple=one.multiple,
            num_missing=one.num_missing,
            num_values=one.num_values,
            values=[ColumnValue(value=value, num_items=count) for value, count in one.values],
            minimum=one.minimum,
            maximum=one.maximum,
            whole=one.whole,
        )


class RatingRange(ResponseBody):
    """Which ratings there are."""

    minimum: float
    maximum: float
    liked_from: float | None = Field(description="The lowest that counts as liked; null: all do.")


class CatalogueResponse(ResponseBody):
    """The items of the live bundle, with what was told of them since."""

    bundle: str
    data: str = Field(description="Name of the data.")
    num_items: int = Field(description="That may be recommended.")
    has_titles: bool = Field(description="Whether items have titles; else their ids stand for them.")
    columns: list[ColumnResponse]
    diversity_column: str | None = Field(description="By which lists are diverse unless a request names another.")
    ratings: RatingRange | None = Field(description="null where the data have none.")

    @classmethod
    def of(cls, one: CatalogueDescription) -> CatalogueResponse:
        """That of a catalogue."""
        ratings = None
        if one.rating_range is not None:
            low, high = one.rating_range
            ratings = RatingRange(minimum=low, maximum=high, liked_from=one.liked_from)
        return cls(
            bundle=one.bundle,
            data=one.data,
            num_items=one.num_items,
            has_titles=one.has_titles,
            columns=[ColumnResponse.of(column) for column in one.columns],
            diversity_column=one.diversity_column,
            ratings=ratings,
        )
