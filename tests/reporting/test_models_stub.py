import ast
import inspect
from pathlib import Path

import recsys
from recsys.cli.model_choices import model_choices
from recsys.reporting.models_stub import models_stub

ROOT = Path(__file__).parents[2]


def test_the_file_is_up_to_date():
    """``make models-page`` writes it."""
    assert (ROOT / "recsys" / "api" / "models.pyi").read_text(encoding="utf-8") == models_stub()


def test_every_model_has_its_settings():
    tree = ast.parse(models_stub())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert set(classes) == set(model_choices())
    for name, node in classes.items():
        constructor = node.body[0]
        assert isinstance(constructor, ast.FunctionDef)
        told = {argument.arg for argument in constructor.args.kwonlyargs}
        taken = set(inspect.signature(getattr(recsys, name)).parameters)
        assert set(model_choices()[name].own) <= told <= taken


def test_types_are_those_of_the_model():
    stub = models_stub()
    assert "num_neighbours: int | None = ..." in stub
    assert "columns: Mapping[str, float] | None = ..." in stub
    assert "hidden_dims: Sequence[int] = ..." in stub
    assert "encoder: str | Sequence[str] | Mapping[str, Any] = ..." in stub
