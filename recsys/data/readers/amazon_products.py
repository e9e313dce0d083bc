"""The product metadata of the Amazon dumps."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from recsys.data.columns import ITEM_ID, TITLE
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.json_lines import iterate_objects
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_BRAND, _PRICE, _CATEGORIES = "brand", "price", "categories"
_SCHEMA = pa.schema(
    {
        ITEM_ID: pa.string(),
        TITLE: pa.string(),
        _BRAND: pa.string(),
        _PRICE: pa.float64(),
        _CATEGORIES: pa.list_(pa.string()),
    }
)
_DOLLARS = re.compile(r"\$?\s*(\d[\d,]*(?:\.\d+)?)")
_PART_ROWS = 50_000


def read_products(file: RawFile, id_field: str) -> pa.Table:
    """Products: ``item_id``, ``title``, ``brand``, ``price`` (dollars), ``categories``.

    Lines are parsed one by one: the dumps have fields that change their type from line to line (a price is a number,
    a text, or a piece of a web page), and those of 2014 are Python literals instead of JSON. A field that cannot be
    read is null.

    Args:
        file: the metadata file.
        id_field: name of the field with the item id that the reviews use.

    Raises:
        DataError: a line is no object, no line has the id, or the file is empty.
        SourceError: the file cannot be read.
    """
    parts: list[pa.Table] = []
    rows: list[dict[str, Any]] = []
    for product in iterate_objects(file, python_literals=True):
        if isinstance(product.get(id_field), str):
            rows.append(_row(product, id_field))
        if len(rows) == _PART_ROWS:
            parts.append(pa.Table.from_pylist(rows, _SCHEMA))
            rows = []
    parts.append(pa.Table.from_pylist(rows, _SCHEMA))
    table = pa.concat_tables(parts)
    if len(table) == 0:
        raise DataError(f"{file}: no line has the field {id_field!r}. Check that it is the right file.")
    return table


def product_features(products: pa.Table) -> tuple[FeatureColumn, ...]:
    """The columns that have any value, with their kinds."""
    kinds = {
        TITLE: FeatureKind.TEXT,
        _BRAND: FeatureKind.CATEGORICAL,
        _PRICE: FeatureKind.NUMBER,
        _CATEGORIES: FeatureKind.MULTI_VALUED,
    }
    present = {name for name in kinds if products[name].null_count < len(products)}
    return tuple(FeatureColumn(name, kind) for name, kind in kinds.items() if name in present)


def _row(product: dict[str, Any], id_field: str) -> dict[str, Any]:
    categories = product.get("categories") or product.get("category") or product.get("main_category") or []
    return {
        ITEM_ID: product[id_field],
        TITLE: _text(product.get("title")),
        _BRAND: _text(product.get("brand") or product.get("store")),
        _PRICE: _price(product.get("price")),
        _CATEGORIES: list(dict.fromkeys(_flat(categories))) or None,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _price(value: Any) -> float | None:
    if isinstance(value, str):
        match = _DOLLARS.fullmatch(value.strip())
        return None if match is None else float(match.group(1).replace(",", ""))
    return float(value) if isinstance(value, int | float) else None


def _flat(value: Any) -> list[str]:
    """The strings of a string or of a list, which is nested in the dumps of 2014."""
    if isinstance(value, list):
        return [text for part in value for text in _flat(part)]
    return [value] if isinstance(value, str) and value else []
