"""Every module has its mirrored test: recsys/A/B.py has tests/A/test_B.py, or is listed here with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Folder of the modules -> folder of their tests.
MIRRORED = {"recsys": "tests", "serving/recsys_serving": "tests/serving", "app": "tests/app"}

# Modules that need no test of their own, and why.
EXCEPTIONS: dict[str, str] = {
    "recsys/data/columns.py": "constants only",
    "recsys/data/appending/writing.py": "writes what test_append.py reads",
    "recsys/models/interface/earlier_fit.py": "fields only, no methods",
    "recsys/runs/measuring.py": "one way for trainings and updates, whose tests read what it writes",
    "recsys/runs/updating/network_update.py": "test_update.py runs every way through it as the command does",
    "recsys/runs/updating/update_run.py": "test_update.py runs every way through it as the command does",
    "recsys/runs/updating/warm_start.py": "test_update.py runs every way through it as the command does",
    "recsys/retrieval/types.py": "type aliases only",
    "recsys/runtime/recommendation.py": "data classes without behaviour, and the protocol of whoever returns them",
    "recsys/models/interface/factor_tables.py": "fields only, no methods",
    "recsys/models/interface/pair_towers.py": "fields only, no methods",
    "recsys/training/operator_library.py": "constants only",
    "recsys/models/interface/model_card.py": "fields only, no methods",
    "recsys/models/layers/packed_windows.py": "fields only, no methods",
    "serving/recsys_serving/store/admin/records.py": "fields only, no methods",
    "serving/recsys_serving/store/events/records.py": "fields only, no methods",
    "serving/recsys_serving/store/items/records.py": "fields only, no methods",
    "serving/recsys_serving/store/users/records.py": "fields only, no methods",
    "serving/recsys_serving/store/errors.py": "classes only",
    "serving/recsys_serving/store/rows.py": "one line for each record; the tests of the stores read all of them",
    "serving/recsys_serving/store/schema/migrations/env.py": "Alembic runs it, and test_migration.py runs Alembic",
    "serving/recsys_serving/api/parts.py": "fields only, and the two functions by which routes find them",
    "serving/recsys_serving/api/schemas/shared.py": "fields only, no methods",
    "serving/recsys_serving/local/server.py": "a process of its own, which the test of the launcher starts",
    "app/components/styles.py": "one line that every page runs",
    "app/components/bundles/evaluation_charts.py": "draws; test_models.py uses it",
    "app/components/comparing/compared_lists.py": "draws; test_compare.py uses it",
    "app/components/comparing/trace_view.py": "draws; test_compare.py uses it",
    "app/components/experiments/experiment_results.py": "draws; test_experiments.py uses it",
    "app/components/user_picker.py": "draws; test_for_you.py uses it",
    "app/components/rating_panel.py": "draws; test_for_you.py uses it",
    "app/components/list_view.py": "draws; test_for_you.py uses it",
    "app/components/list_comparisons.py": "draws; test_for_you.py uses it",
    "app/components/shown_list.py": "asks; test_for_you.py sees when",
    "app/components/item_search.py": "draws a component that only a browser runs; test_main.py drives one",
    "serving/recsys_serving/recommending/types.py": "data classes without behaviour",
}


def modules() -> list[str]:
    """Every Python module of the mirrored folders, as a path from the repository root."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in MIRRORED
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    )


def mirrored_test(module: str) -> str:
    """Path of the test that belongs to ``module``, from the repository root."""
    folder = next(folder for folder in MIRRORED if module.startswith(folder + "/"))
    inside = Path(module).relative_to(folder)
    return (Path(MIRRORED[folder]) / inside.parent / f"test_{inside.name}").as_posix()


def test_the_path_of_a_mirrored_test():
    assert mirrored_test("recsys/errors.py") == "tests/test_errors.py"
    assert mirrored_test("recsys/data/readers/ncf.py") == "tests/data/readers/test_ncf.py"
    assert mirrored_test("serving/recsys_serving/triton/state.py") == "tests/serving/triton/test_state.py"


def test_modules_are_found():
    assert {"recsys/errors.py", "recsys/data/readers/ncf.py", "serving/recsys_serving/triton/state.py"} <= set(
        modules()
    )


def test_every_module_has_its_mirrored_test():
    untested = [module for module in modules() if not (ROOT / mirrored_test(module)).is_file()]
    missing = [f"{module} has no {mirrored_test(module)}" for module in untested if module not in EXCEPTIONS]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("module", sorted(EXCEPTIONS))
def test_an_exception_is_a_module_without_a_test(module):
    assert (ROOT / module).is_file(), f"{module} is gone: take it out of EXCEPTIONS"
    assert not (ROOT / mirrored_test(module)).exists(), f"{module} has a test now: take it out of EXCEPTIONS"
    assert EXCEPTIONS[module], f"say why {module} needs no test"
