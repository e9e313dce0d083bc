"""A shop's purchases, with quantities and returns, from the table to the numbers of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from tests.scripts.running import Finished, Scripts

COLUMNS = ("user=customer", "item=sku", "timestamp=bought_at", "weight=quantity")
SETTINGS = ("tracking=none", "trainer.accelerator=cpu", "show_users=0", "evaluation.bootstrap_samples=0")


def purchases() -> pd.DataFrame:
    """Forty customers, each with a shelf of ten products, buy some of it on eight days; one in ten is returned."""
    random = np.random.default_rng(5)
    rows = []
    for customer in range(40):
        shelf = customer % 2 * 10
        for day in range(8):
            for sku in random.choice(10, 3, replace=False) + shelf:
                time = pd.Timestamp("2024-03-01") + pd.Timedelta(
                    days=day, milliseconds=int(random.integers(86_400_000))
                )
                quantity = int(random.integers(1, 4))
                rows.append((f"c{customer}", f"p{sku}", time, quantity))
                if random.random() < 0.1:
                    rows.append((f"c{customer}", f"p{sku}", time + pd.Timedelta(hours=1), -quantity))
    return pd.DataFrame(rows, columns=["customer", "sku", "bought_at", "quantity"])


def table(directory: Path) -> list[str]:
    purchases().to_csv(directory / "sales.csv", index=False)
    return ["data=table", "data.interactions=sales.csv", *(f"data.columns.{column}" for column in COLUMNS)]


def metrics(finished: Finished) -> dict[str, float]:
    assert finished.status == 0, finished.err
    found: dict[str, float] = json.loads((finished.run / "metrics.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if not name.startswith("baseline/")}


def test_events_are_prepared_trained_on_and_bought_again(scripts: Scripts, tmp_path: Path) -> None:
    data = [*table(tmp_path), "preparation.repeats=keep", "split=temporal"]
    prepared = scripts("prepare", *data[:-1])
    assert prepared.status == 0, prepared.err
    assert "with a negative weight cancel" in prepared.out
    assert "repeat an earlier one and are kept" in prepared.out

    only_new = scripts("train", *data, *SETTINGS, "model=ease")
    numbers = metrics(only_new)
    assert numbers["test/known_share"] > 0.5
    assert "were known before and are left out of these numbers. evaluation.repeats=keep tests them" in only_new.out

    again = scripts("train", *data, *SETTINGS, "model=ials", "exclude_seen=false", "evaluation.repeats=keep")
    numbers = metrics(again)
    # A customer's ten products are bought by no one of the other half: they fill the list, whether new or not.
    assert numbers["test/target=repeated/recall@10"] > 0.9
    assert numbers["test/target=new/recall@10"] > 0.9
    assert "target=repeated" in again.out

    # The evaluation of a run treats known items as the run did, unless it is told otherwise.
    evaluate = ("evaluate", f"run={again.run}", "evaluation.bootstrap_samples=0", "output=again.json")
    assert scripts(*evaluate).status == 0
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == numbers
    assert scripts(*evaluate, "exclude_seen={after_days: 3}").status == 0
    later = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert 0 < later["test/recall@10"] < numbers["test/recall@10"]


def test_a_wrong_choice_is_told_before_anything_is_trained(scripts: Scripts, tmp_path: Path) -> None:
    data = [*table(tmp_path), "preparation.repeats=keep", "split=temporal", "model=ease", *SETTINGS]
    for wrong, message in (
        ("exclude_seen=perhaps", "exclude_seen must be true"),
        ("exclude_seen={days: 3}", "exclude_seen must be true, false or {after_days: DAYS}"),
        ("evaluation.repeats=both", "evaluation.repeats must be"),
        ("weight_transform=square", "weight_transform must be"),
        ("preparation.repeats=sum", "preparation.repeats must be"),
    ):
        finished = scripts("train", *data, wrong)
        assert finished.status == 2
        assert message in finished.err
    assert not list((tmp_path / "runs").glob("*"))
