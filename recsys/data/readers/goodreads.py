"""Reader of Goodreads, as collected in the UCSD Book Graph.

M. Wan and J. McAuley, "Item Recommendation on Monotonic Behavior Chains", RecSys 2018.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from recsys.data.raw import RawDataset, RawSource
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.goodreads_files import (
    BOOK_FEATURES,
    TranslatedInteractions,
    interactions_in_csv,
    interactions_in_json,
    read_books,
)
from recsys.data.readers.interaction_files import InteractionFile
from recsys.data.sources.download import Download
from recsys.data.sources.layout import FoundFiles, Layout
from recsys.data.sources.locate import Publication, find_in_root, locate, record
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError, SourceError

_URL = "https://mcauleylab.ucsd.edu/public_datasets/gdrive/goodreads"

GENRES = (
    "children",
    "comics_graphic",
    "fantasy_paranormal",
    "history_biography",
    "mystery_thriller_crime",
    "poetry",
    "romance",
    "young_adult",
)
_ID_MAP = "book_id_map.csv"


class GoodreadsReader(StreamingReader):
    """Reads the books on users' shelves, of one genre or of all.

    A rating of 0 means that the user gave none. In the files of one genre the timestamp is the time of the last change
    of a shelf. The file of all genres has no timestamps, and its book ids differ from those of the metadata: they are
    translated if the metadata are read.

    Books carry ``title`` (text), ``tags`` (multi-valued: their 20 most popular shelves without status shelves such as
    to-read), ``year`` and ``num_pages`` (numbers) and ``language_code`` (categorical). ``average_rating`` is kept
    but is not a feature, since it includes the ratings that a split holds out.

    Args:
        cache_dir: directory where downloads are kept.
        genre: one of :data:`GENRES`, or None for all.
        rated_only: whether to read only books that were rated. Otherwise all books on shelves are read, without
            ratings.
        metadata: whether to read the metadata of the books. In a local directory they are optional.
        root: the files that you have: a directory with them under their published names, or one file of interactions
            (JSON lines or CSV) under any name, which comes without metadata. It is then the only source that is
            tried; without it the cache is tried, then the official address. No checksums are published: a file
            counts as whole if it has the announced length and can be decompressed to its end.

    Raises:
        DataError: there is no such genre.
    """

    def __init__(
        self,
        cache_dir: str | Path,
        genre: str | None = "poetry",
        rated_only: bool = True,
        metadata: bool = True,
        root: str | Path | None = None,
    ) -> None:
        if genre is not None and genre not in GENRES:
            raise DataError(
                f"Goodreads has the genres {', '.join(GENRES)}, or null for all; {genre!r} is none of them."
            )
        self.cache_dir = cache_dir
        self.genre = genre
        self.rated_only = rated_only
        self.metadata = metadata
        self.root = None if root is None else Path(root).expanduser()

    @property
    def name(self) -> str:
        """Short name of the data set."""
        return f"goodreads_{self.genre or 'all'}"

    def read(self) -> RawDataset:
        """Find, verify and read the files; see :class:`recsys.data.raw.Reader`."""
        found, sources = self._found()
        file = self._interactions(found)
        interactions = file.read()
        if len(interactions) == 0:
            raise DataError(f"{file.file} has no rated books. Set data.rated_only=false to read unrated ones.")
        return self._with(interactions, found, sources)

    def num_bytes(self) -> int:
        """About the size of the interactions as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        return self._interactions(self._found()[0]).file.num_bytes()

    def stream(self) -> RawStream:
        """The files with interactions in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        found, sources = self._found()
        file = self._interactions(found)
        return file.stream_with(self._with(file.empty(), found, sources))

    def _found(self) -> tuple[FoundFiles, tuple[RawSource, ...]]:
        if self.root is None:
            located = locate("goodreads", [self._layout()], [self._publication()], self.cache_dir)
            return located.found, located.sources
        found = self._find_in_root()
        return found, tuple(record(path, str(path)) for path in found.containers())

    def _interactions(self, found: FoundFiles) -> InteractionFile:
        file = found[self._names()[0]]
        read = interactions_in_csv if _is_csv(file) else interactions_in_json
        interactions, id_map = read(file, self.rated_only), self._id_map(found)
        return interactions if id_map is None else TranslatedInteractions(file, interactions, id_map)

    def _id_map(self, found: FoundFiles) -> RawFile | None:
        """The file with the book ids of the metadata, where the interactions have others."""
        interactions_name, books_name = self._names()
        file, books, id_map = found[interactions_name], found.get(books_name), found.get(_ID_MAP)
        if not _is_csv(file):
            return None
        if books is not None and id_map is None:
            raise SourceError(
                f"{books} has other book ids than {file}: {_ID_MAP} is needed to translate them. Add that "
                "file, or set data.metadata=false."
            )
        return id_map

    def _with(self, interactions: pa.Table, found: FoundFiles, sources: tuple[RawSource, ...]) -> RawDataset:
        books = found.get(self._names()[1])
        return RawDataset(
            name=self.name,
            interactions=interactions,
            items=None if books is None else read_books(books),
            item_features=() if books is None else BOOK_FEATURES,
            sources=sources,
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments and the files under ``root``; see :class:`recsys.data.raw.Reader`."""
        arguments = {"genre": self.genre, "rated_only": self.rated_only, "metadata": self.metadata}
        return make_fingerprint(self, arguments, [] if self.root is None else self._find_in_root().containers())

    def _find_in_root(self) -> FoundFiles:
        assert self.root is not None
        if self.root.is_file():
            return FoundFiles("file", {self._names()[0]: RawFile(self.root)})
        return find_in_root([self._layout()], [self._publication()], self.root)

    def _names(self) -> tuple[str, str]:
        """Names of the files of interactions and of books, as published."""
        if self.genre is None:
            return "goodreads_interactions.csv", "goodreads_books.json.gz"
        return f"goodreads_interactions_{self.genre}.json.gz", f"goodreads_books_{self.genre}.json.gz"

    def _layout(self) -> Layout:
        interactions, books = ((name, name.removesuffix(".gz")) for name in self._names())
        metadata = (books, _ID_MAP) if self.genre is None else (books,)
        return Layout("goodreads", (interactions,), metadata if self.metadata else ())

    def _publication(self) -> Publication:
        interactions, books = self._names()
        directory = _URL if self.genre is None else f"{_URL}/byGenre"
        names = [interactions]
        if self.metadata:
            names += [books, _ID_MAP] if self.genre is None else [books]
        return tuple(Download(f"{directory}/{name}") for name in names)


def _is_csv(file: RawFile) -> bool:
    return file.name.removesuffix(".gz").endswith(".csv")
