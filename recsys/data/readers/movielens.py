"""Reader of the MovieLens releases of GroupLens.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from recsys.data.columns import TITLE
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, RawSource
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.movielens_files import (
    AGE,
    GENDER,
    GENRES,
    OCCUPATION,
    TAGS,
    YEAR,
    ZIP_CODE,
    MovieLensTables,
    read_1m,
    read_10m,
    read_100k,
    read_100k_atomic,
    read_csv,
)
from recsys.data.sources.checksum import Checksum
from recsys.data.sources.download import Download
from recsys.data.sources.layout import FoundFiles, Layout
from recsys.data.sources.locate import Publication, find_in_root, locate
from recsys.data.sources.wheel import Wheel
from recsys.errors import DataError

_URL = "https://files.grouplens.org/datasets/movielens"

_ITEM_FEATURES = (
    FeatureColumn(GENRES, FeatureKind.MULTI_VALUED),
    FeatureColumn(YEAR, FeatureKind.NUMBER),
    FeatureColumn(TITLE, FeatureKind.TEXT),
    FeatureColumn(TAGS, FeatureKind.MULTI_VALUED),
)
_USER_FEATURES = tuple(FeatureColumn(name, FeatureKind.CATEGORICAL) for name in (AGE, GENDER, OCCUPATION, ZIP_CODE))


@dataclass(frozen=True, slots=True)
class MovieLensRelease:
    """One MovieLens release.

    Args:
        publications: where it is published, the preferred place first.
        formats: the layouts that it comes in, each with the function that reads it.
    """

    publications: tuple[Publication, ...]
    formats: Mapping[Layout, Callable[[FoundFiles], MovieLensTables]]


def _archive(name: str, md5: str | None) -> Publication:
    """The zip archive of a release. GroupLens publishes MD5 checksums, except for the small release, which changes."""
    return (Download(f"{_URL}/{name}.zip", None if md5 is None else Checksum("md5", md5)),)


def _csv(folder: str) -> Layout:
    return Layout("csv", ("ratings.csv", "movies.csv"), optional=("tags.csv",), folders=(folder,))


#: ML-100K in its atomic format, in a package of the index that Python packages come from.
_RECBOLE_WHEEL = Wheel(
    "recbole==1.2.1",
    "recbole-1.2.1-py3-none-any.whl",
    Checksum("sha256", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"),
)

RELEASES: dict[str, MovieLensRelease] = {
    "100k": MovieLensRelease(
        publications=(_archive("ml-100k", "0e33842e24a9c977be4e0107933c0723"), (_RECBOLE_WHEEL,)),
        formats={
            Layout("official", ("u.data", "u.item", "u.user"), folders=("ml-100k",)): read_100k,
            Layout(
                "atomic",
                ("ml-100k.inter", "ml-100k.item", "ml-100k.user"),
                folders=("ml-100k", "recbole/dataset_example/ml-100k"),
            ): read_100k_atomic,
        },
    ),
    "1m": MovieLensRelease(
        publications=(_archive("ml-1m", "c4d9eecfca2ab87c1945afe126590906"),),
        formats={Layout("dat", ("ratings.dat", "movies.dat", "users.dat"), folders=("ml-1m",)): read_1m},
    ),
    "10m": MovieLensRelease(
        publications=(_archive("ml-10m", "ce571fd55effeba0271552578f2648bd"),),
        formats={Layout("dat", ("ratings.dat", "movies.dat", "tags.dat"), folders=("ml-10M100K",)): read_10m},
    ),
    "20m": MovieLensRelease((_archive("ml-20m", "cd245b17a1ae2cc31bb14903e1204af3"),), {_csv("ml-20m"): read_csv}),
    "25m": MovieLensRelease((_archive("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada"),), {_csv("ml-25m"): read_csv}),
    "32m": MovieLensRelease((_archive("ml-32m", "d472be332d4daa821edc399621853b57"),), {_csv("ml-32m"): read_csv}),
    "latest_small": MovieLensRelease((_archive("ml-latest-small", None),), {_csv("ml-latest-small"): read_csv}),
}


class MovieLensReader(StreamingReader):
    """Reads one MovieLens release.

    Genome scores and links to other film databases are not read. Tags count for an item whenever they were given: a
    temporal split does not divide them as it divides interactions.

    Args:
        release: one of 100k, 1m, 10m, 20m, 25m, 32m, latest_small.
        cache_dir: directory where downloads are kept.
        root: the release that you have: its archive, a directory with the archive in it, or a directory with its
            files (also in the subdirectory that the archive makes). It is then the only source that is tried. Without
            it the cache is tried, then the archive at GroupLens, then for 100k the copy in the recbole wheel.

    Raises:
        DataError: there is no such release.
    """

    def __init__(self, release: str, cache_dir: str | Path, root: str | Path | None = None) -> None:
        self.release = str(release)
        if self.release not in RELEASES:
            raise DataError(f"MovieLens has the releases {', '.join(RELEASES)}; {release!r} is none of them.")
        self.cache_dir = cache_dir
        self.root = root

    @property
    def name(self) -> str:
        """Short name of the data set."""
        return f"movielens_{self.release}"

    def read(self) -> RawDataset:
        """Find, verify and read the release; see :class:`recsys.data.raw.Reader`."""
        tables, sources = self._tables()
        return self._with(tables.interactions.read(), tables, sources)

    def num_bytes(self) -> int:
        """About the size of the ratings as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        return self._tables()[0].interactions.file.num_bytes()

    def stream(self) -> RawStream:
        """The release with its ratings in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        tables, sources = self._tables()
        return tables.interactions.stream_with(self._with(tables.interactions.empty(), tables, sources))

    def _tables(self) -> tuple[MovieLensTables, tuple[RawSource, ...]]:
        """Find, verify and read all but the ratings."""
        release = RELEASES[self.release]
        located = locate(self.name, tuple(release.formats), release.publications, self.cache_dir, self.root)
        read_format = next(read for layout, read in release.formats.items() if layout.name == located.found.layout)
        return read_format(located.found), located.sources

    def _with(self, interactions: pa.Table, tables: MovieLensTables, sources: tuple[RawSource, ...]) -> RawDataset:
        return RawDataset(
            name=self.name,
            interactions=interactions,
            users=tables.users,
            items=tables.items,
            user_features=_USER_FEATURES if tables.users is not None else (),
            item_features=tuple(column for column in _ITEM_FEATURES if column.name in tables.items.column_names),
            sources=sources,
        )

    def fingerprint(self) -> dict[str, object]:
        """The release and the files under ``root``; see :class:`recsys.data.raw.Reader`."""
        release = RELEASES[self.release]
        files = (
            []
            if self.root is None
            else find_in_root(tuple(release.formats), release.publications, self.root).containers()
        )
        return make_fingerprint(self, {"release": self.release}, files)
