from pathlib import Path

import pytest

from tests.scripts.running import Scripts


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scripts:
    """Runs scripts in the test's own directory."""
    return Scripts(tmp_path, monkeypatch, capsys)
