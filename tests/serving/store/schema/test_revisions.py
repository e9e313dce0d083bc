from __future__ import annotations

import pytest
from recsys_serving.store.schema.revisions import next_revision, read_revision
from recsys_serving.store.schema.tables import API_KEY, CATALOGUE, DEPLOYMENT, EXPERIMENT


@pytest.mark.parametrize("name", [CATALOGUE, DEPLOYMENT, EXPERIMENT, API_KEY])
def test_a_revision_starts_at_zero_and_is_raised(store, name):
    with store.transaction() as connection:
        assert read_revision(connection, name) == 0
        assert next_revision(connection, name) == 1
        assert next_revision(connection, name, by=5) == 6
        assert next_revision(connection, name, by=0) == 6
        assert read_revision(connection, name) == 6


def test_revisions_are_apart(store):
    with store.transaction() as connection:
        next_revision(connection, CATALOGUE)
        assert read_revision(connection, EXPERIMENT) == 0
