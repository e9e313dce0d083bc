"""How a server is that is supervised: a file that the supervisor writes whenever that changes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.cli.whole_files import whole_file

HEALTH = "health.json"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a server.

    Args:
        pid: of its process, which has its models in Python for children.
        started: when that process started, see :func:`recsys_serving.triton.state.started_at`.
        answers: whether it answered the last question.
        restarts: how often it was started again.
        reason: why the last time.
        restarted: when that was, such as ``2026-01-31 12:00:00``.
    """

    pid: int
    started: int
    answers: bool = False
    restarts: int = 0
    reason: str | None = None
    restarted: str | None = None

    def save(self, directory: Path) -> None:
        """Write the file, whole or not at all."""
        with whole_file(directory / HEALTH) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")


def read_health(directory: Path) -> Health | None:
    """What the last supervisor wrote; None where there is nothing to read."""
    try:
        return Health(**json.loads((directory / HEALTH).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, TypeError):
        return None
