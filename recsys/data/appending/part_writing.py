"""Writes the interactions of a generation: those of the one before as links, and what was appended."""

from __future__ import annotations

from pathlib import Path

from recsys.data.appending.merging import MergedInteractions
from recsys.data.content_hash import Digests
from recsys.data.interaction_files import InteractionFiles, next_part_name
from recsys.data.preparation.written_interactions import as_table
from recsys.data.prepared import PreparedDataset
from recsys.data.prepared_files import AMENDMENTS_FILE, INTERACTIONS_FILE, write_table
from recsys.data.schema import FURTHER_COLUMNS

#: Files of interactions that a directory has at most: the next generation writes all rows into one again.
MAX_FILES = 32
#: Nor does it carry on with files of whose rows more than this share is amended.
MAX_AMENDED = 0.1


def write_interactions(parent: PreparedDataset, merged: MergedInteractions, directory: Path) -> dict[str, Digests]:
    """Write the files of the interactions of the generation after ``parent``.

    Args:
        parent: the generation before.
        merged: interactions of all generations.
        directory: where the files go.

    Returns:
        Digests of the files that are not new.
    """
    files = InteractionFiles.of(parent.directory)
    amendments = files.amendments.followed_by(merged.gone, merged.changed)
    if len(files.paths) >= MAX_FILES or len(amendments.rows) > MAX_AMENDED * sum(files.num_rows):
        write_table(as_table(merged.interactions), directory / INTERACTIONS_FILE)
        return {}
    files.shared_with(directory)
    if len(merged.added):
        write_table(as_table(merged.added), directory / next_part_name(files))
    columns = merged.interactions.columns()
    further = {name: columns[name] for name in FURTHER_COLUMNS if name in columns}
    amendments.with_values(further).save(directory / AMENDMENTS_FILE)
    return {path.name: parent.schema.digests[path.name] for path in files.paths if path.name in parent.schema.digests}
