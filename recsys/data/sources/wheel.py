"""Data files inside a wheel of a package index, for machines that can reach nothing but such an index."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from recsys.data.sources.checksum import Checksum
from recsys.errors import SourceError

_TIMEOUT_SECONDS = 300.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that ``pip download`` fetches. It is only read as an archive; none of it is installed or run.

    Args:
        requirement: name and exact version, such as ``recbole==1.2.1``.
        filename: file name of the wheel.
        checksum: the published checksum of the wheel.
    """

    requirement: str
    filename: str
    checksum: Checksum

    @property
    def origin(self) -> str:
        """Where the file comes from."""
        return f"pip download {self.requirement}"

    def fetch(self, target: Path) -> None:
        """Download to ``target``, which appears only when the wheel is complete and verified.

        Raises:
            SourceError: this Python has no pip, pip fails or takes longer than five minutes, the wheel has another
                checksum, or it cannot be written.
        """
        try:  # not by find_spec: setuptools answers for pip, and is from then on no longer asked for distutils
            importlib.metadata.distribution("pip")
        except importlib.metadata.PackageNotFoundError as error:
            remedy = f"`{sys.executable} -m ensurepip` installs it"
            raise SourceError(f"pip is not installed for {sys.executable}; {remedy}") from error
        _logger.info("downloading the wheel of %s", self.requirement)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as directory:
                self._download(Path(directory))
                downloaded = Path(directory) / self.filename
                if not downloaded.is_file():
                    found = ", ".join(sorted(path.name for path in Path(directory).iterdir())) or "nothing"
                    raise SourceError(f"pip must download {self.filename}, but downloaded {found}")
                self.checksum.verify(downloaded, self.filename)
                os.replace(downloaded, target)
        except OSError as error:
            raise SourceError(f"{target} cannot be written: {error.strerror or error}") from error

    def _download(self, directory: Path) -> None:
        options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "--retries", "1", "--dest", str(directory)]
        try:
            outcome = subprocess.run(
                [*command, self.requirement], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"pip did not finish within {_TIMEOUT_SECONDS:.0f} seconds") from error
        if outcome.returncode != 0:
            lines = (outcome.stderr.strip() or outcome.stdout.strip() or "no message").splitlines()
            raise SourceError(f"pip failed: {lines[-1].strip()}")
