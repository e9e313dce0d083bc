from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

from recsys_serving.spool.commands import (
    SpoolCommand,
    exposures_command,
    exposures_of,
    interaction_command,
    interaction_of,
)
from recsys_serving.store.events.records import Exposure

from tests.serving.store.moments import NOON, minutes, watched

RATED = watched(
    "e1", type="rating", value=4.5, recommendation_id=UUID(int=7), position=3, session_id="s", properties={"a": [1]}
)
SHOWN = Exposure(UUID(int=1), "ada", NOON, ("1", "2"), (0.5, 0.25), "first", "7", "b", "x", {"k": 2})


def through_json(command: SpoolCommand) -> SpoolCommand:
    return replace(command, payload=json.loads(json.dumps(command.payload)))


def test_an_interaction_comes_out_as_it_went_in():
    assert interaction_of(through_json(interaction_command(RATED))) == RATED
    assert interaction_command(RATED).user_id == "ada"


def test_lists_come_out_as_they_went_in():
    lists = (SHOWN, replace(SHOWN, user_id=None, propensities=None))
    assert exposures_of(through_json(exposures_command(lists))) == lists


def test_a_replay_has_the_same_id_and_other_content_another():
    same = interaction_command(replace(RATED, received_at=NOON))
    assert same.command_id == interaction_command(RATED).command_id
    assert interaction_command(replace(RATED, value=1.0)).command_id != same.command_id


def test_the_moment_of_an_event_without_one_does_not_count():
    later = replace(RATED, occurred_at=minutes(1))
    assert interaction_command(later, untimed=True).command_id == interaction_command(RATED, untimed=True).command_id
    assert interaction_command(later).command_id != interaction_command(RATED).command_id
