"""The names of the field: none of the names that they have replaced is left, and no two classes share one.

A name is that of a class, function, method, argument, field or attribute, of a module or folder, of an option of the
command line, or of a key, group or file of the configuration. Words in texts are free.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from omegaconf import DictConfig, OmegaConf

ROOT = Path(__file__).parent.parent
CODE = ("recsys", "serving", "app", "scripts", "benchmarks")

#: Names that were replaced, and the new ones. None of them may be the name of anything.
REPLACED = {
    "Asked": "RecommendationRequest",
    "TritonAnswer": "Recommendation",
    "Recommendations": "Recommendation",
    "ExplainedList": "Recommendation",
    "Requests": "RequestBatch",
    "ServedQuery": "OnnxQuery",
    "Known": "UserContext",
    "LookedUp": "ResolvedBatch",
    "Lookup": "RequestResolver",
    "Told": "FeatureValue",
    "told_features": "parse_user_features",
    "not_read": "unknown_feature_message",
    "Wishes": "ListOptions",
    "wishes": "list_options",
    "own_list": "recommend",
    "popular_list": "recommend_popular",
    "request_of_nobody": "anonymous_request",
    "_Ways": "_Pipelines",
    "Found": "CandidateResult",
    "or_popular": "with_popularity_fallback",
    "SameForAll": "StaticRetriever or ConstantScores",
    "personal": "personalized",
    "Cause": "Contribution",
    "causes": "contributions",
    "Reasons": "ItemExplanation",
    "Shared": "SharedAttribute",
    "phrase": "format_shared",
    "LiveRecommender": "HotSwapRecommender",
    "go_live": "activate",
    "Rule": "Filter",
    "NotSeen": "SeenFilter",
    "NotBlocked": "BlocklistFilter",
    "AmongItems": "ItemMaskFilter",
    "AllOf": "CompositeFilter",
    "Merged": "RankFusionRetriever",
    "Calibrated": "CalibratedReranker",
    "Diversifier": "Reranker",
    "Tried": "IndexTrial",
    "choosing": "index_selection",
    "breadth": "search_effort",
    "Searches": "Searchable",
    "ItemLists": "RaggedItems",
    "SharedLock": "ReadWriteLock",
    "milliseconds_of": "measure_latency_ms",
    "Opinions": "SourceScores",
    "opinions": "source_scores",
    "SumOfWeights": "ItemItemModel",
    "relate": "item_weights",
    "strongest": "top_entries",
    "stacked": "vstack",
    "FitsInClosedForm": "Fittable",
    "HasNorms": "L2Regularizable",
    "NotesTraining": "ObservesTraining",
    "SizedByData": "DynamicBuffers",
    "EncodesPositions": "SequenceEncoder",
    "read_items": "set_item_features",
    "columns_of_users": "user_columns",
    "Serves": "Exportable",
    "ServesPairs": "ExportableRanker",
    "RankerOfForm": "EncoderRanker",
    "ItemForm": "ItemEncoderSpec",
    "numbers_per_interaction": "floats_per_position",
    "FoldedFactors": "FoldInFactorization",
    "of_gaps": "time_gap_embedding",
    "of_ratings": "rating_embedding",
    "pair_products": "dot_products",
    "pair_networks": "fused_mlp",
    "byte_products": "int8_screening",
    "per_step": "step_decay",
    "per_day": "day_decay",
    "about_popularity": "popularity_features",
    "View": "FeedbackView",
    "of_likes": "of_positives",
    "learnt_from": "training_interactions",
    "AsGiven": "DefaultSplit",
    "CodedColumn": "EncodedColumn",
    "DescriptiveTable": "EntityTable",
    "at_least": "rows_rated_at_least",
    "test_given": "test_fold_in",
    "history_targets": "next_item",
    "target_loss": "next_item_loss",
    "candidate_lists": "listwise",
    "label_folds": "stacking_folds",
    "source_training": "sources_training",
    "log_expected": "log_q",
    "MovableCheckpoint": "PortableCheckpoint",
    "WholeCheckpointIO": "AtomicCheckpointIO",
    "warmth": "cold_status",
    "scores_of_contenders": "exact_scores_of_top_candidates",
    "Ranked": "RankedBatch",
    "assess": "evaluate_model",
    "Assessment": "EvaluationReport",
    "name_of": "model_name",
    "presentation": "run_report",
    "Sheet": "ResultTable",
    "sheet": "table",
    "sheets": "tables",
    "ByHistoryAlone": "FoldInOnly",
    "task_with_given": "fold_in_task",
    "Acquaintance": "FamiliarityModel",
    "acquaintance": "familiarity",
    "Interview": "PreferenceElicitation",
    "interview": "preference_elicitation",
    "onboarding": "elicitation",
    "TestedPair": "PairedComparison",
    "tested_against": "baseline",
    "shelf_speed": "baselines_speed",
    "history_cut": "history_truncation",
    "open_size": "dynamic_output",
    "copied_code": "vendored_modules",
    "built_index": "build_index",
    "Of": "TensorSpec",
    "DataOfBundle": "BundleData",
    "IndexOfBundle": "BundleIndex",
    "FileOfBundle": "BundleFile",
    "feeds": "onnx_inputs",
}


class OldName(NamedTuple):
    """An ordinary word that was the name of one thing in one place, and may be that of others elsewhere.

    Args:
        name: the word.
        kinds: of the thing: class, function, argument, attribute, module, key, group or file.
        paths: patterns of the files where it stood, separated by bars.
        new: what it is called now.
    """

    name: str
    kinds: str
    paths: str
    new: str


_REQUESTS = "recsys/recommendation/*|recsys/runtime/*|recsys/retrieval/*|serving/*|scripts/*"
_REQUEST_KEYS = "configs/recommend.yaml|configs/similar.yaml|configs/query_triton.yaml|configs/evaluate_pipeline.yaml"
_VALUE = "argument attribute"

#: Ordinary words, where they were names.
REPLACED_IN_PLACE = [
    OldName("asked", _VALUE, "recsys/recommendation/*|recsys/runtime/*|serving/*", "request"),
    OldName("asking", "module", "recsys/*|serving/*", "request"),
    OldName("Answer", "class", "recsys/*|serving/*", "Recommendation"),
    OldName("known", "function", "recsys/runtime/request_resolution.py", "resolve"),
    OldName("choices", "module", "recsys/*", "list_options"),
    *(
        OldName(name, kinds, places, "filters")
        for name in ("only", "without", "between")
        for kinds, places in (
            ("function", "recsys/retrieval/filtering/filters.py"),
            (_VALUE, _REQUESTS),
            ("key", _REQUEST_KEYS),
        )
    ),
    OldName("blocked", _VALUE, _REQUESTS, "exclude_items"),
    OldName("blocked", "key", _REQUEST_KEYS, "exclude_items"),
    OldName("strength", _VALUE, _REQUESTS + "|recsys/studies/pipeline/*", "diversity_weight"),
    OldName("strength", "key", _REQUEST_KEYS, "diversity_weight"),
    OldName("strengths", "key", _REQUEST_KEYS, "diversity_weights"),
    OldName("content", _VALUE, "recsys/recommendation/*|recsys/runtime/*", "diversity_column"),
    OldName("content", "key", _REQUEST_KEYS, "diversity_column"),
    OldName("parts", "attribute", "recsys/models/interface/explanation.py|recsys/recommendation/*", "contributions"),
    OldName("follow", "function", "recsys/runtime/*", "watch"),
    OldName("listed", "function module", "recsys/retrieval/*|recsys/runtime/*", "format_list"),
    OldName("arrays", "module", "recsys/retrieval/*", "types"),
    OldName("ask", "function", "recsys/models/*|recsys/training/*", "score_sources"),
    OldName("describe", "function", "recsys/models/*|recsys/training/*", "candidate_features"),
    OldName("keep", "function", "recsys/models/*", "set_weights"),
    OldName("served", "module", "recsys/models/*", "onnx"),
    OldName("gaps", f"function {_VALUE}", "recsys/models/*", "time_gaps"),
    OldName("evidence", _VALUE, "recsys/models/*", "baseline_weight"),
    OldName("evidence", "key", "configs/*", "baseline_weight"),
    OldName("reverse", _VALUE, "recsys/models/*", "reverse_neighbours"),
    OldName("reverse", "key", "configs/*", "reverse_neighbours"),
    OldName("dims", "module", "recsys/models/*", "validation"),
    OldName("nothing", "function", "recsys/data/*", "missing"),
    OldName("given", "key", "configs/cold_start.yaml", "num_fold_in"),
    OldName("given", _VALUE, "recsys/studies/cold_start/*", "num_fold_in"),
    OldName("Candidates", "class", "recsys/training/*", "CandidateSelector"),
    OldName("candidates", "group key", "configs/*", "candidate_selector"),
    OldName("negatives", "group key", "configs/*", "negative_sampler"),
    OldName("page", "function module", "recsys/studies/*|recsys/reporting/*", "report"),
    OldName("machine", "function module", "recsys/studies/*|benchmarks/*", "hardware_summary"),
    OldName("exchange", "function", "serving/*", "swap_version"),
    *(
        OldName(name, "module", "serving/recsys_serving/triton/*", new)
        for name, new in (("lookup", "preprocess"), ("candidates", "retrieve"), ("answer", "postprocess"))
    ),
]


class Name(NamedTuple):
    """A name, what it names, and the file where it stands."""

    path: str
    kind: str
    name: str


def names_in(tree: ast.AST, path: str) -> Iterator[Name]:
    """The names that a file of Python gives to what it defines."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                yield Name(path, "class", name)
                fields = [statement.target for statement in body if isinstance(statement, ast.AnnAssign)]
                yield from (Name(path, "attribute", field.id) for field in fields if isinstance(field, ast.Name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield Name(path, "function", name)
            case ast.arg(arg=name):
                yield Name(path, "argument", name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield Name(path, "attribute", name)
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[ast.Constant(value=str(option)), *_]):
                yield Name(path, "key", option.lstrip("-").replace("-", "_"))


def keys_in(config: object, path: str) -> Iterator[Name]:
    """The keys of a configuration, at any depth; those of defaults are groups."""
    if isinstance(config, dict):
        for key, value in config.items():
            for part in re.split(r"[./@]", str(key).removeprefix("override ")):
                yield Name(path, "key", part)
            yield from keys_in(value, path)
    elif isinstance(config, list):
        for value in config:
            yield from keys_in(value, path)


@cache
def sources() -> dict[str, ast.Module]:
    """The code, file by file."""
    paths = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def all_names() -> list[Name]:
    """Every name of the code and of the configuration."""
    found = []
    for path, tree in sources().items():
        found += [*names_in(tree, path), *(Name(path, "module", part) for part in Path(path).with_suffix("").parts)]
    for file in sorted((ROOT / "configs").rglob("*.yaml")):
        path = file.relative_to(ROOT).as_posix()
        config = OmegaConf.load(file)
        assert isinstance(config, DictConfig)
        found += keys_in(OmegaConf.to_container(config, resolve=False), path)
        found += [Name(path, "group", part) for part in Path(path).parent.parts]
        found.append(Name(path, "file", file.stem))
    return found


def replacement(name: Name) -> str | None:
    """What a name that was replaced is called now; None for any other name."""
    if name.name in REPLACED:
        return REPLACED[name.name]
    for old in REPLACED_IN_PLACE:
        if name.name == old.name and name.kind in old.kinds.split():
            if any(fnmatch(name.path, pattern) for pattern in old.paths.split("|")):
                return old.new
    return None


def test_no_replaced_name_is_left():
    left = sorted(
        {
            f"{name.path}: {name.kind} {name.name}, now {replacement(name)}"
            for name in all_names()
            if replacement(name) is not None
        }
    )
    assert left == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("class Wishes: pass", "class"),
        ("def go_live(): pass", "function"),
        ("class A:\n    async def go_live(self): pass", "function"),
        ("def f(*, wishes=None): pass", "argument"),
        ("f = lambda wishes: 0", "argument"),
        ("class A:\n    personal: bool = False", "attribute"),
        ("self.personal = 1", "attribute"),
        ('parser.add_argument("--tested-against")', "key"),
    ],
)
def test_each_kind_of_name_is_found(code, kind):
    found = [name for name in names_in(ast.parse(code), "recsys/a.py") if replacement(name) is not None]
    assert [name.kind for name in found] == [kind]


def test_names_of_the_configuration_are_found():
    config = {"defaults": [{"override training/label_folds": "last"}], "model": {"evidence": 1, "other": 2}}
    found = [name.name for name in keys_in(config, "configs/model/a.yaml") if replacement(name) is not None]
    assert found == ["label_folds", "evidence"]


def test_ordinary_words_are_free_where_they_were_no_names():
    assert replacement(Name("recsys/retrieval/index_selection.py", "argument", "parts")) is None
    assert replacement(Name("recsys/models/interface/explanation.py", "attribute", "parts")) == "contributions"


#: Names that Triton itself asks of each of its models.
SHARED_CLASSES = {"TritonPythonModel"}


def test_no_two_classes_share_a_name():
    files = defaultdict(list)
    for path, tree in sources().items():
        if path.startswith(("recsys/", "serving/")):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    files[node.name].append(path)
    shared = {name: paths for name, paths in files.items() if len(paths) > 1}
    assert {name: shared[name] for name in shared.keys() - SHARED_CLASSES} == {}


def test_errors_are_of_a_subclass():
    bare = sorted(
        f"{path}:{node.lineno}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RecsysError"
    )
    assert bare == []


def test_protocols_are_few():
    protocols = [
        f"{path}: {node.name}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "Protocol" in {ast.unparse(base).partition("[")[0] for base in node.bases}
    ]
    assert len(protocols) < 30, protocols
