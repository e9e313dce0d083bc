"""Shows what a Triton server recommends, with the titles that its repository has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.table import Table

from recsys.data.columns import TITLE
from recsys.runtime.bundle import Bundle
from recsys_serving.triton.client import TritonAnswer
from recsys_serving.triton.model_config import RECOMMEND


def answer_table(answer: TritonAnswer, heading: str, repository: Path | None) -> Table:
    """A table of titles and scores.

    Args:
        answer: of the server.
        heading: title of the table.
        repository: of the models; None shows ids in place of titles, as does one without the version that answered.
    """
    table = Table("rank", "item", "title", "score", title=heading, title_justify="left", box=box.MARKDOWN)
    table.columns[0].justify = table.columns[3].justify = "right"
    titles = _titles(answer, repository)
    for rank, (item, title, score) in enumerate(zip(answer.item_ids, titles, answer.scores, strict=True), start=1):
        table.add_row(str(rank), item, title, f"{score:.4g}")
    return table


def _titles(answer: TritonAnswer, repository: Path | None) -> list[str]:
    """Titles of the items; the id where an item has none."""
    if repository is None:
        return answer.item_ids
    directory = repository / RECOMMEND / str(answer.version) / "bundle"
    if not directory.is_dir():
        return answer.item_ids
    bundle = Bundle.open(directory, verify=False)
    if TITLE not in bundle.items.column_names:
        return answer.item_ids
    rows = pa.array(np.asarray(bundle.item_vocabulary.index_of(answer.item_ids), dtype=np.int64))
    titles = bundle.items.column(TITLE).take(rows).cast(pa.string()).combine_chunks()
    ids = pa.array(answer.item_ids, pa.string())
    return pc.coalesce(pc.if_else(pc.equal(titles, ""), None, titles), ids).to_pylist()
