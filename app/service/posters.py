"""Posters of films by their titles, from The Movie Database (TMDB); asked only where the environment has a key.

Nothing but titles and years is sent. What is not found, or does not come in time, has a drawn cover.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import httpx

KEY_VARIABLE = "TMDB_API_KEY"
SEARCH = "https://api.themoviedb.org/3/search/movie"
IMAGES = "https://image.tmdb.org/t/p/w342"

#: What TMDB asks its users to say.
NOTICE = "Posters: this product uses the TMDB API but is not endorsed or certified by TMDB."

#: Posters that are remembered, and searches at once.
_MAX_POSTERS, _THREADS = 20_000, 8
_TIMEOUT_SECONDS = 5.0

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ARTICLE = re.compile(r"^(?P<rest>.*), (?P<article>The|A|An|Les|Le|La|L'|Der|Die|Das|Il|El)$")


class Film(NamedTuple):
    """What is searched for.

    Attributes:
        title: as it is spoken, with the article first.
        year: of the film; None where the title does not end with one.
    """

    title: str
    year: int | None


def film_of(title: str) -> Film:
    """A title as catalogues write it, taken apart.

    Example:
        >>> film_of("Matrix, The (1999)")
        Film(title='The Matrix', year=1999)
    """
    year = _YEAR.search(title)
    words = _YEAR.sub("", title).strip()
    moved = _ARTICLE.match(words)
    if moved:
        article = moved["article"]
        words = f"{article}{'' if article.endswith(chr(39)) else ' '}{moved['rest']}"
    return Film(words, int(year[1]) if year else None)


class Posters:
    """Searches for posters, and remembers them.

    Args:
        key: of the API, version 3 (32 signs), or a read token of version 4.
        client: sends the requests; it is for the tests to give one of their own.
    """

    def __init__(self, key: str, client: httpx.Client | None = None) -> None:
        self._is_token = len(key) > 40
        self._key = key
        self._client = client or httpx.Client(timeout=_TIMEOUT_SECONDS)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="posters")
        self._found: OrderedDict[Film, Future[str | None]] = OrderedDict()
        self._lock = Lock()

    def poster_of(self, title: str) -> str | None:
        """The address of a poster; None: there is none, or it is still being searched for."""
        search = self._search(film_of(title))
        return search.result() if search.done() else None

    def wait_for(self, titles: Iterable[str], seconds: float = 1.5) -> None:
        """Search for several at once, and wait for them, but not for long."""
        wait([self._search(film_of(title)) for title in titles], timeout=seconds)

    def close(self) -> None:
        """End the searches and the connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _search(self, film: Film) -> Future[str | None]:
        with self._lock:
            search = self._found.get(film)
            if search is None:
                search = self._found[film] = self._pool.submit(self._ask, film)
                if len(self._found) > _MAX_POSTERS:
                    self._found.popitem(last=False)
            return search

    def _ask(self, film: Film) -> str | None:
        wanted = {"query": film.title, **({} if film.year is None else {"year": str(film.year)})}
        headers = {"Authorization": f"Bearer {self._key}"} if self._is_token else {}
        try:
            answer = self._client.get(
                SEARCH, params=wanted if self._is_token else {**wanted, "api_key": self._key}, headers=headers
            )
            answer.raise_for_status()
            films = answer.json()["results"]
            path = next((one["poster_path"] for one in films if one.get("poster_path")), None)
        except httpx.TransportError:
            with self._lock:
                self._found.pop(film, None)  # it may be reached the next time
            return None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None  # a picture is no reason for a page to fail
        return f"{IMAGES}{path}" if isinstance(path, str) and re.fullmatch(r"/[\w.-]+", path) else None


@lru_cache(maxsize=1)
def posters_with(key: str) -> Posters:
    """The posters of this process for a key."""
    return Posters(key)
