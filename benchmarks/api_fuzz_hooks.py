"""What schemathesis does around each request of ``api_fuzz.py``.

A made-up cursor is no cursor, and a made-up column is none of the bundle's: no description of an API can say which
there are. So a request that is meant to be valid goes on from a page that the service has made, and a check of our own
stands in for the one that has every valid request accepted: it has them refused for :data:`REASONS` alone, and counts.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from recsys_serving.api.entity_tags import TAG_PATTERN

#: Ids of the key of the run, and of one that is there to be rotated or revoked in its place.
OWN_KEY, SPARE_KEY = "API_FUZZ_OWN_KEY", "API_FUZZ_SPARE_KEY"
#: Where the counted refusals are written.
REFUSALS = "API_FUZZ_REFUSALS"

#: Why a request may be refused that is as described: what no JSON Schema says. By a pattern of the problem's text.
REASONS = {
    r"Extra inputs are not permitted": "a field that the description excludes, and schemathesis adds by itself",
    r"must be of one type that a column can have": "values of several types in one column",
    r"Whole numbers must lie between|bytes of properties": "a number beyond 2**53 within properties, or too many bytes",
    r"There is no column": "a column that the bundle does not have",
    r"none of this list|not one of this service": "a cursor of another page",
    r"must lie in the future|must lie between 1970 and 2099": "a moment out of range, written as a date",
}

#: What the description of an experiment says: no reason. Further rules of experiments are one.
DESCRIBED_OF_EXPERIMENTS = r"^Some values|^keys of|missing$|must be a mapping|must be a list"
EXPERIMENT_RULES = "a rule of experiments: shares, names, what a metric or a guardrail needs"

_cursors: dict[str, tuple[str, dict[str, Any]]] = {}
_refusals: Counter[str] = Counter()


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Take the spare key where a request would end the run's own, and go on from pages that there are."""
    parameters = case.path_parameters or {}
    if parameters.get("key_id") == os.environ[OWN_KEY] and case.method != "GET":
        parameters["key_id"] = os.environ[SPARE_KEY]
    if case.query and "cursor" in case.query and _is_positive(case):
        path, query = _cursors.get(str(case.query["cursor"]), (None, {}))
        if path == case.formatted_path:
            case.query = {**query, "cursor": case.query["cursor"]}
        else:
            del case.query["cursor"]


@schemathesis.hook
def after_call(context: Any, case: schemathesis.Case, response: Any) -> None:
    """Remember of which page a cursor is."""
    if response.status_code == 200 and "json" in response.headers.get("content-type", [""])[0]:
        told = response.json()
        cursor = told.get("next_cursor") if isinstance(told, dict) else None
        if cursor:
            query = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
            _cursors[cursor] = (case.formatted_path, query)


@schemathesis.check
def valid_request_is_accepted(ctx: Any, response: Any, case: schemathesis.Case) -> None:
    """A request that is as described is refused for a reason that no description can say, or not at all."""
    if not _is_positive(case) or response.status_code not in (400, 413, 415, 422):
        return
    told = response.json()
    text = " ".join([told["detail"], *(f"{one['field']}: {one['message']}" for one in told.get("errors", ()))])
    reason = next((reason for pattern, reason in REASONS.items() if re.search(pattern, text)), None)
    if case.operation.path.startswith("/v1/experiments") and not re.search(DESCRIBED_OF_EXPERIMENTS, text):
        reason = EXPERIMENT_RULES
    if reason is not None:
        _refusals[reason] += 1
        Path(os.environ[REFUSALS]).write_text("".join(f"{n}\t{one}\n" for one, n in sorted(_refusals.items())))
        return
    raise AssertionError(f"Valid data should have been accepted, and got {response.status_code}: {text[:300]}")


def _is_positive(case: schemathesis.Case) -> bool:
    """Whether a request is as described; schemathesis' boundaries of a text may be none of its pattern."""
    tag = (case.headers or {}).get("if-match")
    is_tag = tag is None or re.fullmatch(TAG_PATTERN, tag) is not None
    return is_tag and case.meta is not None and case.meta.generation.mode.is_positive
