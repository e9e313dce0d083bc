"""What an item looks like: a cover, its title, its columns, and what a list says of it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.components.picture import picture_html
from app.components.text import first_category, summary

#: A short word with a hyphen; a longer one may be broken, or it would not fit into a narrow card.
_HYPHENATED = re.compile(r"(?<!\S)(?=\S{3,14}(?!\S))[\w.,]+(?:-[\w.,]+)+")


def card_html(item: Mapping[str, Any], columns: Sequence[Mapping[str, Any]], top_score: float | None = None) -> str:
    """A card of a list.

    Args:
        item: as lists have them.
        columns: of the catalogue.
        top_score: the best score of the list, for the length of the bar; None: there is no bar.
    """
    title, meta = item["title"], summary(item["metadata"], columns)
    parts = [
        picture_html(title, first_category(item["metadata"], columns)),
        f'<div class="rs-title"><span class="rs-rank">{item["rank"]}</span>{html.escape(title)}</div>',
    ]
    if meta:
        parts.append(f'<div class="rs-meta">{meta_html(meta)}</div>')
    if because := because_of(item):
        parts.append(f'<div class="rs-because">{because}</div>')
    score = item.get("score")
    if score is not None and top_score is not None:
        parts.append(
            f'<div class="rs-score"><div class="rs-track"><div class="rs-fill" style="width: '
            f'{share(score, top_score):.0f}%"></div></div><span class="rs-number">{score_text(score)}</span></div>'
        )
    return "".join(parts)


def row_html(item: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> str:
    """A small row: cover, title and columns."""
    title, meta = item.get("title") or item["item_id"], summary(item["metadata"], columns)
    cover = picture_html(title, first_category(item["metadata"], columns))
    return (
        f'<div class="rs-row">{cover}<div><div class="rs-title">{html.escape(title)}</div>'
        f'<div class="rs-meta">{meta_html(meta)}</div></div></div>'
    )


def ranked_row_html(item: Mapping[str, Any], columns: Sequence[Mapping[str, Any]], mark: str | None = None) -> str:
    """A row of a list as HTML, with its rank and, where it has one, a mark such as how far it moved."""
    title, meta = item["title"], summary(item["metadata"], columns)
    marked = f'<span class="rs-mark">{html.escape(mark)}</span>' if mark else ""
    because = because_of(item)
    return (
        f'<li class="rs-row">{picture_html(title, first_category(item["metadata"], columns))}<div>'
        f'<div class="rs-title"><span class="rs-rank">{item["rank"]}</span>{html.escape(title)}{marked}</div>'
        f'<div class="rs-meta">{meta_html(meta)}</div>'
        + (f'<div class="rs-because">{because}</div>' if because else "")
        + "</div></li>"
    )


def meta_html(meta: str) -> str:
    """What a card says of an item as HTML, in which words with a hyphen, such as days, are not broken at it."""
    return _HYPHENATED.sub(r'<span class="rs-whole">\g<0></span>', html.escape(meta))


def because_of(item: Mapping[str, Any]) -> str:
    """Why an item is in a list, in a line of HTML; an empty text where nothing is known."""
    explanation = item.get("explanation")
    if explanation and explanation["contributions"]:
        one = explanation["contributions"][0]
        return f"Because you liked <b>{html.escape(one['title'])}</b>"
    reasons = item.get("reasons") or []
    return html.escape(reasons[0]) if reasons else ""


def share(value: float, largest: float) -> float:
    """A value as percents of the largest, from 0 to 100."""
    return 100.0 if largest <= 0 else min(100.0, max(0.0, 100.0 * value / largest))


def score_text(score: float) -> str:
    """A score of any scale in few signs."""
    return f"{score:,.0f}" if abs(score) >= 1_000 else f"{score:.3g}"
