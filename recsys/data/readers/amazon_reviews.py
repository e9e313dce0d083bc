"""The public dumps of Amazon product reviews, in the layouts of 2014, 2018 and 2023.

J. McAuley et al., "Image-based Recommendations on Styles and Substitutes", SIGIR 2015 (2014); J. Ni et al., "Justifying
Recommendations using Distantly-Labeled Reviews and Fine-Grained Aspects", EMNLP 2019 (2018); Y. Hou et al., "Bridging
Language and Items for Retrieval and Recommendation", 2024 (2023).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID
from recsys.data.raw import RawDataset, RawSource
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.amazon_products import product_features, read_products
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.identifiers import ID_TYPE, as_identifiers
from recsys.data.readers.interaction_files import DelimitedInteractions, InteractionFile, JsonInteractions
from recsys.data.sources.download import Download
from recsys.data.sources.layout import FoundFiles, Layout
from recsys.data.sources.locate import Publication, find_in_root, locate, record
from recsys.data.sources.raw_file import RawFile
from recsys.data.times import NANOSECONDS
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class AmazonRelease:
    """One release of the dumps.

    Args:
        reviews: names of the review file, ``{}`` standing for the category; the published one first.
        ratings: names of the file that has ratings only.
        products: names of the file of product metadata.
        reviews_url: directory of the published review files.
        ratings_url: directory of the published rating files.
        products_url: directory of the published metadata.
        fields: user, item, rating and timestamp in the review file.
        ratings_columns: columns of the rating file in their order; None where it has a header with ``fields``.
        ticks_per_second: unit of the timestamps.
    """

    reviews: tuple[str, ...]
    ratings: tuple[str, ...]
    products: tuple[str, ...]
    reviews_url: str
    ratings_url: str
    products_url: str
    fields: tuple[str, str, str, str]
    ratings_columns: tuple[str, str, str, str] | None
    ticks_per_second: int = 1


_UCSD = "https://mcauleylab.ucsd.edu/public_datasets/data"
_SNAP = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles"
_OLD_FIELDS = ("reviewerID", "asin", "overall", "unixReviewTime")

RELEASES: dict[str, AmazonRelease] = {
    "2014": AmazonRelease(
        reviews=("reviews_{}.json.gz", "reviews_{}_5.json.gz", "reviews_{}.json", "reviews_{}_5.json"),
        ratings=("ratings_{}.csv", "ratings_{}.csv.gz"),
        products=("meta_{}.json.gz", "meta_{}.json"),
        reviews_url=_SNAP,
        ratings_url=_SNAP,
        products_url=_SNAP,
        fields=_OLD_FIELDS,
        ratings_columns=(USER_ID, ITEM_ID, RATING, TIMESTAMP),
    ),
    "2018": AmazonRelease(
        reviews=("{}.json.gz", "{}_5.json.gz", "{}.json", "{}_5.json"),
        ratings=("{}.csv", "{}.csv.gz"),
        products=("meta_{}.json.gz", "meta_{}.json"),
        reviews_url=f"{_UCSD}/amazon_v2/categoryFiles",
        ratings_url=f"{_UCSD}/amazon_v2/categoryFilesSmall",
        products_url=f"{_UCSD}/amazon_v2/metaFiles2",
        fields=_OLD_FIELDS,
        ratings_columns=(ITEM_ID, USER_ID, RATING, TIMESTAMP),
    ),
    "2023": AmazonRelease(
        reviews=("{}.jsonl.gz", "{}.jsonl"),
        ratings=("{}.csv.gz", "{}.csv"),
        products=("meta_{}.jsonl.gz", "meta_{}.jsonl"),
        reviews_url=f"{_UCSD}/amazon_2023/raw/review_categories",
        ratings_url=f"{_UCSD}/amazon_2023/benchmark/0core/rating_only",
        products_url=f"{_UCSD}/amazon_2023/raw/meta_categories",
        fields=("user_id", "parent_asin", "rating", "timestamp"),
        ratings_columns=None,
        ticks_per_second=1_000,
    ),
}


class AmazonReviewsReader(StreamingReader):
    """Reads the reviews of one product category, without their texts.

    Items carry ``title`` (text), ``brand`` (categorical), ``price`` (number, in dollars) and ``categories``
    (multi-valued) where there is metadata; a column without any value is no feature.

    Args:
        cache_dir: directory where downloads are kept.
        release: 2014, 2018 or 2023. It determines the fields of the reviews, and the order of the columns of rating
            files without a header: user, item, rating, timestamp in 2014; item, user, rating, timestamp in 2018.
        category: the category as the file names spell it, such as ``All_Beauty``.
        ratings_only: whether to read the CSV file that has ratings only, instead of the far larger reviews.
        metadata: whether to read the product metadata. In a local directory they are optional.
        root: the files that you have: a directory with them under their published names, or one file of reviews
            (JSON lines) or ratings (CSV) under any name, which comes without metadata. It is then the only source
            that is tried; without it the cache is tried, then the official address. No checksums are published: a
            file counts as whole if it has the announced length and can be decompressed to its end.

    Raises:
        DataError: there is no such release.
    """

    def __init__(
        self,
        cache_dir: str | Path,
        release: str | int = "2023",
        category: str = "All_Beauty",
        ratings_only: bool = False,
        metadata: bool = True,
        root: str | Path | None = None,
    ) -> None:
        self.release = str(release)
        if self.release not in RELEASES:
            raise DataError(f"The Amazon reviews have the releases {', '.join(RELEASES)}; {release!r} is none of them.")
        if not re.fullmatch(r"[\w&-]+", category):
            raise DataError(
                f"data.category is part of the names of files, such as All_Beauty, but it is {category!r}. Correct it."
            )
        self.cache_dir = cache_dir
        self.category = category
        self.ratings_only = ratings_only
        self.metadata = metadata
        self.root = None if root is None else Path(root).expanduser()

    @property
    def name(self) -> str:
        """Short name of the data set; after reading, the file's own name replaces the category."""
        return f"amazon_{self.release}_{self.category}"

    def read(self) -> RawDataset:
        """Find, verify and read the files; see :class:`recsys.data.raw.Reader`."""
        found, sources = self._found()
        interactions = self._interactions(found)
        return self._with(interactions.read(), found, sources)

    def num_bytes(self) -> int:
        """About the size of the reviews as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        return self._interactions(self._found()[0]).file.num_bytes()

    def stream(self) -> RawStream:
        """The files with interactions in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        found, sources = self._found()
        interactions = self._interactions(found)
        return interactions.stream_with(self._with(interactions.empty(), found, sources))

    def _found(self) -> tuple[FoundFiles, tuple[RawSource, ...]]:
        release = RELEASES[self.release]
        if self.root is None:
            layouts, publications = [self._layout(release)], [self._publication(release)]
            located = locate(f"amazon_reviews_{self.release}", layouts, publications, self.cache_dir)
            return located.found, located.sources
        found = self._find_in_root(release)
        return found, tuple(record(path, str(path)) for path in found.containers())

    def _interactions(self, found: FoundFiles) -> InteractionFile:
        release = RELEASES[self.release]
        file = found[self._names(release)[0]]
        is_csv = file.name.removesuffix(".gz").endswith(".csv")
        return _ratings(file, release) if is_csv else _reviews(file, release)

    def _with(self, interactions: pa.Table, found: FoundFiles, sources: tuple[RawSource, ...]) -> RawDataset:
        release = RELEASES[self.release]
        file, products = found[self._names(release)[0]], found.get(self._product_names(release)[0])
        items = None if products is None else read_products(products, release.fields[1])
        return RawDataset(
            name=f"amazon_{self.release}_{file.name.split('.')[0]}",
            interactions=interactions,
            items=items,
            item_features=() if items is None else product_features(items),
            sources=sources,
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments and the files under ``root``; see :class:`recsys.data.raw.Reader`."""
        arguments = {
            "release": self.release,
            "category": self.category,
            "ratings_only": self.ratings_only,
            "metadata": self.metadata,
        }
        files = [] if self.root is None else self._find_in_root(RELEASES[self.release]).containers()
        return make_fingerprint(self, arguments, files)

    def _find_in_root(self, release: AmazonRelease) -> FoundFiles:
        assert self.root is not None
        if self.root.is_file():
            return FoundFiles("file", {self._names(release)[0]: RawFile(self.root)})
        return find_in_root([self._layout(release)], [self._publication(release)], self.root)

    def _names(self, release: AmazonRelease) -> tuple[str, ...]:
        names = release.ratings if self.ratings_only else release.reviews
        return tuple(name.format(self.category) for name in names)

    def _product_names(self, release: AmazonRelease) -> tuple[str, ...]:
        return tuple(name.format(self.category) for name in release.products)

    def _layout(self, release: AmazonRelease) -> Layout:
        optional = (self._product_names(release),) if self.metadata else ()
        return Layout("category", (self._names(release),), optional)

    def _publication(self, release: AmazonRelease) -> Publication:
        directory = release.ratings_url if self.ratings_only else release.reviews_url
        files = [Download(f"{directory}/{self._names(release)[0]}")]
        if self.metadata:
            files.append(Download(f"{release.products_url}/{self._product_names(release)[0]}"))
        return tuple(files)


def _reviews(file: RawFile, release: AmazonRelease) -> InteractionFile:
    """JSON lines; everything but the four fields is skipped."""
    kinds = (pa.string(), pa.string(), pa.float64(), pa.int64())
    types = dict(zip(release.fields, kinds, strict=True))
    return JsonInteractions(file, types, release.fields, partial(_of_review, release, str(file)))


def _of_review(release: AmazonRelease, place: str, part: pa.Table) -> pa.Table:
    user, item, rating, timestamp = release.fields
    columns = {
        USER_ID: as_identifiers(part[user], user, place),
        ITEM_ID: as_identifiers(part[item], item, place),
        RATING: part[rating].cast(pa.float32()),
        TIMESTAMP: part[timestamp],
    }
    return _in_seconds(release.ticks_per_second, pa.table(columns))


def _ratings(file: RawFile, release: AmazonRelease) -> InteractionFile:
    """Comma-separated ratings, with or without a header."""
    kinds = {USER_ID: ID_TYPE, ITEM_ID: ID_TYPE, RATING: pa.float32(), TIMESTAMP: pa.int64()}
    convert = partial(_in_seconds, release.ticks_per_second)
    if release.ratings_columns is None:
        headed = dict(zip(release.fields, kinds.values(), strict=True))
        return DelimitedInteractions(file, headed, list(kinds), convert=convert)
    return DelimitedInteractions(file, kinds, list(kinds), column_names=release.ratings_columns, convert=convert)


def _in_seconds(per_second: int, table: pa.Table) -> pa.Table:
    """The table with times in whole seconds and, where ``per_second`` is more than 1, the nanoseconds after them."""
    if per_second == 1:
        return table
    seconds = pc.divide(table[TIMESTAMP], per_second)
    rest = pc.subtract(table[TIMESTAMP], pc.multiply(seconds, per_second))
    table = table.append_column(SUBSECOND_NS, pc.multiply(rest, NANOSECONDS // per_second).cast(pa.int32()))
    return table.set_column(table.column_names.index(TIMESTAMP), TIMESTAMP, seconds)
