"""Finds items by their titles: as typed, misspelt, without accents, and while somebody is still typing.

Titles are cut into words. Each word of the query is looked up among the distinct words of the catalogue, of which there
are far fewer than titles: the same word counts fully, one that begins with it nearly as much. Where there is none, two
words that were written as one are looked for (``starwars``), and words with a few other letters, which count by their
likeness. An item gets the likeness of its best words, weighted by their length, and the best items are ordered by the
likeness of the whole titles as well.

Shape suffixes: I items, W distinct words.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

#: Likeness below which a word is another word, from 0 to 1.
LEAST_LIKE = 0.65
#: Shortest word that may be misspelt: of shorter ones too many are alike.
SHORTEST_MISSPELT = 4
#: Likeness of a word that begins with what was typed, at least.
PREFIX = 0.9
#: Items that are compared by their whole titles, at most; also the most that a search finds.
MAX_FOUND = 300
#: Similar words of one typed word, at most; and words that begin with it, in the order of the alphabet.
MAX_WORDS = 200
MAX_BEGINNING = 5_000
#: Words of a query that may be misspelt: comparing one takes some milliseconds.
MAX_MISSPELT = 4
#: Words of a query that are looked for.
MAX_TYPED = 16
#: How well the words of a title fit that is found, from 0 to 1.
LEAST_FIT = 0.4
#: Items whose titles changed, of each that did not, before all words are put in order again; and how many are few.
CHANGED_SHARE = 0.1
FEW_CHANGED = 500

_WORD = re.compile(r"\w+")
#: Letters that are no letter with an accent for Unicode, but are typed as if they were.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"})


class Match(NamedTuple):
    """An item that was found, and how like it is, from 0 to 100."""

    item_id: str
    likeness: float


def normalized(text: str) -> str:
    """A text as it is compared: small letters, no accents, single blanks between words."""
    # Some letters are capital only after they are taken apart (mathematical ones), some fall apart when they are small.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)
    return " ".join(_WORD.findall(plain))


class ItemSearch:
    """Titles of items in an order that is quick to search; threads may share it.

    Args:
        items: ids and titles; an item without a title is found by its id alone.
        popularity: of the items, in their order: what decides between titles that are equally alike; None: nothing.
    """

    def __init__(self, items: Iterable[tuple[str, str | None]], popularity: Sequence[float] | None = None) -> None:
        self._updating = threading.Lock()
        known = list(items)
        weights = np.zeros(len(known)) if popularity is None else np.asarray(popularity, dtype=np.float64)
        self._index = _Index(_TitleTable.of(known, weights), {}, _TitleTable.of([], np.zeros(0)))

    def search(self, text: str, limit: int = 20, offset: int = 0) -> tuple[list[Match], int]:
        """The best matches from ``offset`` on, and how many there are in all (at most :data:`MAX_FOUND`).

        An item whose id is the text comes first. The last word of the text may be the beginning of one.
        """
        index, query = self._index, normalized(text)
        scores: dict[str, float] = {}
        if query:
            scores = {name: likeness for name, likeness in index.titles.search(query) if name not in index.changed}
            scores.update(index.recent.search(query))
        exact = text.strip()
        if index.has(exact):
            scores[exact] = 101.0
        ordered = sorted(scores.items(), key=lambda one: -one[1])[:MAX_FOUND]
        found = [Match(name, min(100.0, score)) for name, score in ordered[offset : offset + limit]]
        return found, len(ordered)

    def put(self, items: Iterable[tuple[str, str | None]]) -> None:
        """Know new items, or known ones by other titles; those that are as they were cost nothing."""
        self._change({item_id: title or "" for item_id, title in items})

    def remove(self, ids: Iterable[str]) -> None:
        """Find these items no more."""
        self._change(dict.fromkeys(ids))

    def _change(self, titles: dict[str, str | None]) -> None:
        with self._updating:
            self._index = self._index.after(titles)


class _Index(NamedTuple):
    """All titles at one moment.

    Args:
        titles: in order; some of them may have changed.
        changed: titles since, by item; None: the item is gone.
        recent: those since in order.
    """

    titles: _TitleTable
    changed: dict[str, str | None]
    recent: _TitleTable

    def has(self, item_id: str) -> bool:
        return self.changed[item_id] is not None if item_id in self.changed else self.titles.has(item_id)

    def after(self, titles: dict[str, str | None]) -> _Index:
        new = {name: title for name, title in titles.items() if not self._is_known(name, title)}
        if not new:
            return self
        changed = {**self.changed, **new}
        if len(changed) > max(FEW_CHANGED, CHANGED_SHARE * len(self.titles)):
            return _Index(self.titles.with_changes(changed), {}, _TitleTable.of([], np.zeros(0)))
        recent = [(name, title) for name, title in changed.items() if title is not None]
        return _Index(self.titles, changed, _TitleTable.of(recent, np.zeros(len(recent))))

    def _is_known(self, name: str, title: str | None) -> bool:
        if name in self.changed:
            return self.changed[name] == title
        return not self.titles.has(name) if title is None else self.titles.title_of(name) == normalized(title)


class _TitleTable:
    """Titles and their words, made once and never changed."""

    def __init__(
        self,
        ids: list[str],
        titles: list[str],
        popularity: npt.NDArray[np.float64],
        words: list[str],
        offsets: npt.NDArray[np.int64],
        items: npt.NDArray[np.int64],
    ) -> None:
        self._ids, self._titles, self._popularity = ids, titles, popularity
        self._rows = {name: row for row, name in enumerate(ids)}
        self._words, self._offsets, self._items = words, offsets, items
        most = popularity.max(initial=0.0)
        self._liked = np.log1p(popularity) / np.log1p(most) if most > 0 else np.zeros(len(ids))

    @classmethod
    def of(cls, items: Sequence[tuple[str, str | None]], popularity: npt.NDArray[np.float64]) -> _TitleTable:
        titles = [normalized(title) if title else "" for _, title in items]
        postings: dict[str, list[int]] = {}
        for row, title in enumerate(titles):
            for word in set(title.split()):
                postings.setdefault(word, []).append(row)
        words = sorted(postings)
        offsets = np.cumsum([0, *(len(postings[word]) for word in words)], dtype=np.int64)
        rows = np.array([row for word in words for row in postings[word]], dtype=np.int64)
        return cls([name for name, _ in items], titles, popularity, words, offsets, rows)

    def __len__(self) -> int:
        return len(self._ids)

    def has(self, item_id: str) -> bool:
        return item_id in self._rows

    def title_of(self, item_id: str) -> str | None:
        row = self._rows.get(item_id)
        return None if row is None else self._titles[row]

    def with_changes(self, changed: dict[str, str | None]) -> _TitleTable:
        """A table with other titles in the place of some; None takes an item out."""
        kept = [row for name, row in self._rows.items() if name not in changed]
        items = [(self._ids[row], self._titles[row]) for row in kept]
        new = [(name, title) for name, title in changed.items() if title is not None]
        popularity = [
            *self._popularity[kept],
            *(self._popularity[self._rows[name]] if name in self._rows else 0.0 for name, _ in new),
        ]
        return _TitleTable.of([*items, *new], np.array(popularity, dtype=np.float64))

    def search(self, query: str) -> list[Match]:
        """Items and their likeness to a normalized query, in no order."""
        scores = self._fit(self._respelt(query.split()[:MAX_TYPED]))
        rows = np.flatnonzero(scores > LEAST_FIT)
        if len(rows) > MAX_FOUND:
            order = np.argpartition(-(scores[rows] + 0.1 * self._liked[rows]), MAX_FOUND)
            rows = rows[order[:MAX_FOUND]]
        matches = []
        for row in rows.tolist():
            whole = fuzz.ratio(query, self._titles[row]) / 100
            likeness = 0.75 * float(scores[row]) + 0.2 * whole + 0.05 * float(self._liked[row])
            matches.append(Match(self._ids[row], round(100 * likeness, 2)))
        return matches

    def _respelt(self, typed: list[str]) -> list[str]:
        """The words that were typed; what was written as one or as two is so where the titles have it so."""
        words: list[str] = []
        for word in typed:
            if words and not self._has(word) and self._has(words[-1] + word):
                words[-1] += word
            elif self._has(word) or (parts := self._parts(word)) is None:
                words.append(word)
            else:
                words += parts
        return words

    def _parts(self, word: str) -> list[str] | None:
        """Two words that are written as one, each of two letters or more; None: it is not that."""
        for place in range(len(word) - 2, 1, -1):
            if self._has(word[:place], whole=True) and self._has(word[place:], whole=True):
                return [word[:place], word[place:]]
        return None

    def _has(self, word: str, whole: bool = False) -> bool:
        """Whether a title has a word that begins so, or is so."""
        place = bisect_left(self._words, word)
        if place == len(self._words):
            return False
        return self._words[place] == word if whole else self._words[place].startswith(word)

    def _fit(self, typed: list[str]) -> npt.NDArray[np.float32]:
        """How well the words of each title fit, shape [I], from 0 to 1."""
        scores = np.zeros(len(self._ids), dtype=np.float32)
        weights = [min(len(word), 8) for word in typed]
        num_misspelt = 0
        for word, weight in zip(typed, weights, strict=True):
            similar = self._beginning_with(word)
            if not similar and len(word) >= SHORTEST_MISSPELT and num_misspelt < MAX_MISSPELT:
                num_misspelt += 1
                similar = self._misspelt(word)
            of_word = np.zeros(len(self._ids), dtype=np.float32)
            for place, likeness in sorted(similar.items(), key=lambda one: one[1]):
                of_word[self._items[self._offsets[place] : self._offsets[place + 1]]] = likeness
            scores += of_word * (weight / sum(weights))
        return scores

    def _beginning_with(self, word: str) -> dict[int, float]:
        """Places of the words that begin so, and their likeness; 1 for the word itself."""
        start = bisect_left(self._words, word)
        stop = bisect_left(self._words, word + "\U0010ffff", lo=start)
        return {
            place: PREFIX + (1 - PREFIX) * len(word) / len(self._words[place])
            for place in range(start, min(stop, start + MAX_BEGINNING))
        }

    def _misspelt(self, word: str) -> dict[int, float]:
        """Places of the words that are like it, and their likeness."""
        similar = process.extract(
            word, self._words, scorer=OSA.normalized_similarity, score_cutoff=LEAST_LIKE, limit=MAX_WORDS
        )
        return {place: PREFIX * float(likeness) for _, likeness, place in similar}
