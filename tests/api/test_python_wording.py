import pytest

from recsys.api.python_wording import in_python, python_wording
from recsys.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.columns.user=who, data.columns.item=NAME.", "columns={'user': 'who', 'item': 'NAME'}."),
        ("data.columns.user=0 data.columns.item=1", "columns={'user': 0, 'item': 1}"),
        ("with 'data.columns.user=the user'.", "with columns={'user': 'the user'}."),
        ("leave it out with data.columns.rating=null.", "leave it out with columns={'rating': None}."),
        ("which column (data.columns.title) it is", "which column (columns['title']) it is"),
        ("data.columns takes user and item", "columns takes user and item"),
        ("Set data.day_first=true or data.day_first=false.", "Set day_first=True or day_first=False."),
        ("'data.list_separators={genres: null}' keeps", "list_separators={'genres': None} keeps"),
        ("data.item_features.year is date", "item_features['year'] is date"),
        (
            """'data.item_features={genres: {kind: multi_valued, separator: "|"}}', please""",
            "item_features={'genres': {'kind': 'multi_valued', 'separator': '|'}}, please",
        ),
        ("such as 'data.header={items: [item_id,title]}'.", "such as header={'items': ['item_id', 'title']}."),
        ("either data.interactions=FILE, or data.train=FILE", "either interactions='FILE', or train='FILE'"),
        ("Set data.separator=';'.", "Set separator=';'."),
        ("reach preparation.positive_threshold=4; ratings", "reach positive_threshold=4; ratings"),
        ("set evaluation.repeats=keep to find", "set repeats='keep' to find"),
        ("Set model.recency.step_decay=1 and", "Set recency__step_decay=1 and"),
        ("Set model.half_life_days=null, or", "Set half_life_days=None, or"),
        ("(split.valid_ratio=0.1), or", "(valid_ratio=0.1), or"),
        ("an error because of strict=true.", "an error because of strict=True."),
        ("another place (paths.prepared_dir=DIR).", "another place (directory=DIR)."),
        ("Make one: python scripts/export.py run=DIR output=bundles/NAME", "Make one: model.export('bundles/NAME')"),
        ("Make it with recsys prepare, or correct the path.", "Make it with Dataset.save, or correct the path."),
        ("or use split=random_ratio.", "or use data.split('random_ratio')."),
        ("has no config.yaml. Give the path after 'run:'.", "has no config.yaml. Correct the path."),
        ("data=table needs the interactions", "a data set of tables needs the interactions"),
        (
            "such as data.columns.user=0 data.columns.item=1 data.columns.timestamp=3. Set data.header=true",
            "such as columns={'user': 0, 'item': 1, 'timestamp': 3}. Set header=True",
        ),
        (
            "with data.columns.user=who, data.columns.item=what, or data.columns.rating=null.",
            "with columns={'user': 'who', 'item': 'what'}, or columns={'rating': None}.",
        ),
    ],
)
def test_settings_become_arguments(text: str, expected: str) -> None:
    assert in_python(text) == expected
    assert in_python(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "runs/first/model.safetensors is missing",
        "Fit one: model = recsys.EASE().fit(split.train).",
        "model.save(path), then recsys.load_run(path)",
        "data.py and /home/data.items.csv stay",
        "data.interactions.csv.gz",
        "k must be a whole number",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert in_python(text) == text


def test_a_function_raises_the_same_error_in_other_words() -> None:
    @python_wording
    def failing(message: object) -> None:
        """Says so."""
        raise DataError(message)

    with pytest.raises(DataError, match="^Set strip_ids=True$"):
        failing("Set preparation.strip_ids=true")
    with pytest.raises(DataError) as found:
        failing(7)
    assert found.value.args == (7,) and failing.__doc__ == "Says so."
