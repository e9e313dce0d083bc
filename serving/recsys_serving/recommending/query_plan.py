"""What is asked of whom: a query, the user behind it, the variant and the bundle, and under which key it is cached."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from recsys.errors import RequestError
from recsys_serving.recommending.assignments import NO_TREATMENT, Treatment
from recsys_serving.recommending.boosts import ParsedBoost, parse_boosts
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.promotions import check_promotions
from recsys_serving.recommending.types import Diversity, RecommendationQuery
from recsys_serving.recommending.user_states import KnownUser

#: Weight of the diversity of a variant that does not say one.
DIVERSITY_WEIGHT = Diversity("mmr").weight


@dataclass(frozen=True, slots=True, eq=False)
class QueryPlan:
    """One query, ready to be answered.

    Args:
        query: with what the variant sets.
        user: what is known of the user.
        treatment: what is different for the user.
        opened: the bundle that answers.
        boosts: parsed.
        shown: ids of the items of the pages before.
        query_hash: of what decides which items come; cursors name it.
        cache_key: of the list.
    """

    query: RecommendationQuery
    user: KnownUser
    treatment: Treatment
    opened: OpenBundle
    boosts: tuple[ParsedBoost, ...]
    shown: Sequence[str]
    query_hash: str
    cache_key: str

    @property
    def first_rank(self) -> int:
        """Rank of the first item of this page."""
        return len(self.shown) + 1


def check_query(query: RecommendationQuery, max_k: int, columns: Sequence[str]) -> tuple[ParsedBoost, ...]:
    """Require that a query is sensible, as far as nobody else does; its boosts, parsed.

    Args:
        query: of a caller.
        max_k: longest page.
        columns: of the items, for metadata.

    Raises:
        RequestError: it is not.
    """
    if isinstance(query.k, bool) or not isinstance(query.k, int) or not 1 <= query.k <= max_k:
        raise RequestError(f"k must be a whole number from 1 to {max_k:,}, but it is {query.k!r}.")
    if query.user_id is not None and not query.user_id:
        raise RequestError("user_id must have a character or more; leave it out for somebody unknown.")
    check_columns(query.metadata, columns)
    check_promotions(query.promotions)
    return parse_boosts(query.boosts)


def check_columns(names: Sequence[str], columns: Sequence[str]) -> None:
    """Require that the items have columns of these names.

    Raises:
        RequestError: one is not there.
    """
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise RequestError(f"There is no column {unknown[0]!r} of items. There are: {', '.join(columns) or 'none'}.")


def with_treatment(query: RecommendationQuery, treatment: Treatment, max_k: int) -> RecommendationQuery:
    """The query with the options that a variant sets in place of its own.

    They are those of :mod:`recsys.experiments.variant_options`. Filters of both hold, and no page is longer than
    ``max_k``.
    """
    options = treatment.list_options
    if treatment is NO_TREATMENT or not options:
        return query
    changes: dict[str, Any] = {name: options[name] for name in ("explain", "exclude_seen") if name in options}
    if "k" in options:
        changes["k"] = min(int(options["k"]), max_k)
    if options.get("filters"):
        own = options["filters"]
        changes["filters"] = {"and": [query.filters, own]} if query.filters else own
    if "diversity" in options:
        kind, column = options["diversity"], options.get("diversity_column")
        weight = float(options.get("diversity_weight", DIVERSITY_WEIGHT))
        changes["diversity"] = None if kind is None else Diversity(str(kind), weight, column)
    elif query.diversity is not None:
        weight = float(options.get("diversity_weight", query.diversity.weight))
        column = options.get("diversity_column", query.diversity.column)
        changes["diversity"] = Diversity(query.diversity.kind, weight, column)
    return replace(query, **changes)


def is_plain(query: RecommendationQuery) -> bool:
    """Whether a query has nothing but a user and a length, so that its list can be made again from the log."""
    absent = (query.session, query.filters, query.diversity, query.exclude_seen, query.cursor)
    empty = (query.exclude_items, query.boosts, query.promotions, query.user_features)
    return all(one is None for one in absent) and not any(empty)


def query_hash(query: RecommendationQuery) -> str:
    """A hash of what decides which items come, page after page."""
    diversity = query.diversity
    parts: list[object] = [
        query.user_id,
        None if query.session is None else [[one.item_id, one.value, one.timestamp] for one in query.session],
        query.filters,
        query.exclude_items,
        [[one.filters, one.factor] for one in query.boosts],
        [[one.item_id, one.position] for one in query.promotions],
        None if diversity is None else [diversity.kind, diversity.weight, diversity.column],
        query.user_features,
        query.exclude_seen,
    ]
    return _digest(parts)


def cache_key(
    opened: OpenBundle,
    query: RecommendationQuery,
    user: KnownUser,
    treatment: Treatment,
    catalogue_version: str,
    options: Sequence[object],
) -> str:
    """The key of a list: the bundle's fingerprint and a hash of all else that it depends on.

    It is the variant, the user, all that is known of the user, the catalogue and the options of the query. No id of a
    user can be read from it.
    """
    parts: list[object] = [treatment.variant, user.user_id, user.version, user.profiling, catalogue_version]
    parts += [query.k, query.explain, query.metadata, *options]
    return f"list:{opened.fingerprint[:16]}:{_digest(parts)}"


def _digest(value: object) -> str:
    try:
        written = orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError) as error:
        raise RequestError(f"The query has a value that cannot be read: {error}.") from error
    return hashlib.blake2b(written, digest_size=16).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Sequence):
        return list(value)
    if hasattr(value, "as_mapping"):
        return value.as_mapping()
    return str(value)
