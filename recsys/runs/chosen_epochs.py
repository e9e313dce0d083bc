"""The number of epochs of a fit that holds nothing out for validation, which could stop it early."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError
from recsys.training.reports.fit_report import REPORT, read_report


@dataclass(frozen=True, slots=True)
class ChosenEpochs:
    """The epochs of a model and of its parts (towers, sources), given or read from an earlier fit.

    Args:
        checkpoints: of the earlier fit; its parts are below it, as those of the fit to come are. None: there is none,
            and the parts keep their own ``trainer.max_epochs``.
        given: epochs of the model itself; None reads them from ``checkpoints``.

    Example:
        >>> ChosenEpochs(None, given=7).number()
        7
    """

    checkpoints: Path | None
    given: int | None = None

    def number(self) -> int:
        """Epochs of the model itself, at least 1.

        Raises:
            RunError: the earlier fit left no report, or it is damaged.
        """
        if self.given is not None:
            return self.given
        assert self.checkpoints is not None, "one of the two is there"
        report = self.checkpoints / REPORT
        if not report.is_file():
            raise RunError(
                f"The number of epochs should come from {report}, but it is not there: the earlier fit was of another "
                "model, or its checkpoints are gone. Choose the epochs anew: leave chosen_by out."
            )
        return read_report(report).best_epoch

    def in_words(self) -> str:
        """:meth:`number` with its unit; the errors are those of :meth:`number`."""
        number = self.number()
        return f"{number} epoch{'s' * (number != 1)}"

    def part(self, *names: str) -> ChosenEpochs | None:
        """The epochs of a part, whose checkpoints are so named below those of the whole; None where none are known."""
        return None if self.checkpoints is None else ChosenEpochs(self.checkpoints.joinpath(*names))
