"""What pages say of all models, their tables, names and number, written from the models themselves.

``make models-page`` brings the pages up to date; a test fails where they are not.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hydra.utils import get_class, instantiate
from torch import nn

from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config
from recsys.errors import ModelError
from recsys.models.interface.capabilities import capabilities
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.pair_recommender import as_recommender
from recsys.models.interface.protocols import PredictsRatings
from recsys.reporting.models_stub import models_stub
from recsys.runs.sized_settings import sized_by

#: Sizes of the models that are made to see what they can do.
NUM_USERS, NUM_ITEMS = 3, 4

#: The numbers of models that a sentence spells out.
_TENS = {20: "twenty", 30: "thirty", 40: "forty"}
_ONES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def model_names() -> list[str]:
    """The choices of ``model``: the files in ``configs/model``."""
    return sorted(path.stem for path in (CONFIG_DIRECTORY / "model").glob("*.yaml"))


def fresh_model(name: str) -> nn.Module:
    """The model of the default settings, for a few users and items."""
    config = compose_config("train", overrides=[f"model={name}", "name=page"])
    sized, _ = sized_by(config.model, lambda: DataSize(NUM_USERS, NUM_ITEMS, NUM_USERS))
    model: nn.Module = as_recommender(instantiate(sized)(num_users=NUM_USERS, num_items=NUM_ITEMS), NUM_ITEMS)
    return model


def card_of(name: str) -> ModelCard:
    """The card of a model; one without has the first line of its docstring and its settings."""
    config = compose_config("train", overrides=[f"model={name}", "name=page"]).model
    class_ = get_class(config["_target_"])
    card = getattr(class_, "card", None)
    if isinstance(card, ModelCard):
        return card
    summary = (inspect.getdoc(class_) or "").partition("\n")[0].replace("``", "`").rstrip(".")
    settings = tuple(str(key) for key in config if not str(key).startswith("_"))
    return ModelCard(summary, settings, "", "scores", "")


def tables() -> dict[str, str]:
    """The tables of the page by the names of their places in it."""
    models = {name: fresh_model(name) for name in model_names()}
    cards = {name: card_of(name) for name in models}
    ratings = [name for name, model in models.items() if isinstance(model, PredictsRatings)]
    implicit = [name for name in models if name not in ratings]
    served = (f"| `{name}` | {card.gives} | {card.served_from} |" for name, card in cards.items())
    return {
        "models for implicit feedback": _table_of_models(implicit, models, cards),
        "models for ratings": _table_of_models(ratings, models, cards),
        "served models": _lines("| served | gives | from |", served),
        "weights": _lines("| `model=` | weights are |", (f"| `{name}` | {cards[name].weights} |" for name in implicit)),
    }


def choices() -> dict[str, str]:
    """What the page of commands says of all models: the choices of ``model``."""
    names = model_names()
    models = {name: fresh_model(name) for name in names}
    ratings = [f"`{name}`" for name in names if isinstance(models[name], PredictsRatings)]
    implicit = [f"`{name}`" for name in names if f"`{name}`" not in ratings]
    return {"names of models": f"implicit feedback: {', '.join(implicit)}; ratings: {', '.join(ratings)}"}


def spelled(number: int) -> str:
    """A number from 19 to 49 in words, others in digits."""
    tens, ones = number // 10 * 10, _ONES[number % 10]
    if number == 19:
        return "nineteen"
    if tens not in _TENS:
        return str(number)
    return f"{_TENS[tens]}-{ones}" if ones else _TENS[tens]


def with_parts(page: str, parts: Mapping[str, str]) -> str:
    """``page`` with the text between ``<!-- NAME -->`` and ``<!-- end -->`` replaced, for each name of ``parts``.

    Raises:
        ModelError: the page has no such place.
    """
    for name, text in parts.items():
        place = re.compile(rf"(<!-- {re.escape(name)} -->\n?).*?(\n?<!-- end -->)", re.DOTALL)
        if len(place.findall(page)) != 1:
            raise ModelError(f"The page needs one place from <!-- {name} --> to <!-- end -->. Put it back.")
        page = place.sub(lambda found, text=text: f"{found.group(1)}{text}{found.group(2)}", page)  # type: ignore[misc]
    return page


def up_to_date(root: Path) -> dict[Path, str]:
    """What the files that speak of all models should say."""
    contents = {
        root / "docs" / "models.md": tables(),
        root / "docs" / "using.md": choices(),
        root / "README.md": {"number of models": spelled(len(model_names()))},
    }
    pages = {path: with_parts(path.read_text(encoding="utf-8"), parts) for path, parts in contents.items()}
    return {**pages, root / "recsys" / "api" / "models.pyi": models_stub()}


def _table_of_models(names: Iterable[str], models: Mapping[str, nn.Module], cards: Mapping[str, ModelCard]) -> str:
    rows = (
        f"| `{name}` | {cards[name].summary} | {', '.join(capabilities(models[name]))} | "
        f"{', '.join(f'`{setting}`' for setting in cards[name].settings)} | {cards[name].use} |"
        for name in names
    )
    return _lines("| `model=` | what it is | can | main settings | use it |", rows)


def _lines(header: str, rows: Iterable[str]) -> str:
    return "\n".join([header, "|---" * (header.count("|") - 1) + "|", *rows])


def main() -> None:
    """Write the files."""
    for path, content in up_to_date(CONFIG_DIRECTORY.parent).items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
