"""What an evaluation found, as numbers, as a table and as text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from recsys.api.console_text import as_text_of_console
from recsys.data.prepared import PreparedDataset
from recsys.errors import EvaluationError
from recsys.evaluation.model_report import EvaluationReport
from recsys.reporting.run_report import print_report


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The results of a model and of the baseline.

    Args:
        evaluation: of both.
        name: of the model.
        prepared: the data.

    Example:
        ``report["ndcg@10"]``, ``report.metrics``, ``report.to_pandas()``, ``print(report)``.
    """

    evaluation: EvaluationReport
    name: str
    prepared: PreparedDataset

    @property
    def metrics(self) -> dict[str, float]:
        """All numbers of the model by the names that a run directory has them under, such as ``test/ndcg@10``."""
        return self.evaluation.metrics(self.name) | self.evaluation.baseline_metrics(self.name)

    @property
    def models(self) -> list[str]:
        """Names of what was measured: the baseline first, where there is one."""
        return list(self.evaluation.ranking)

    def __getitem__(self, metric: str) -> float:
        metrics = self.metrics
        for name in (metric, f"{self.evaluation.stage}/{metric}"):
            if name in metrics:
                return metrics[name]
        accuracy = ", ".join(sorted(self.evaluation.ranking[self.name].per_user))
        raise EvaluationError(f"The report has no metric {metric!r}. It has {accuracy}, and more in report.metrics.")

    def to_pandas(self) -> pd.DataFrame:
        """A row for each model and metric: ``model``, ``metric``, ``value`` and the ends of its 95 % interval."""
        rows = []
        for model in self.models:
            numbers = self.evaluation.metrics(model)
            for metric, value in numbers.items():
                if not metric.endswith(("_low", "_high")):
                    interval = (numbers.get(f"{metric}_{end}", math.nan) for end in ("low", "high"))
                    rows.append((model, metric, value, *interval))
        return pd.DataFrame(rows, columns=["model", "metric", "value", "low", "high"])

    def per_user(self) -> pd.DataFrame:
        """The values of each test user under the model."""
        frame: pd.DataFrame = self.evaluation.per_user(self.name, self.prepared.user_vocabulary).to_pandas()
        return frame

    def __str__(self) -> str:
        return as_text_of_console(lambda console: print_report(self.evaluation, console))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self.to_pandas()
        plain = table[~table["metric"].str.contains("=")]
        wide = plain.pivot(index="metric", columns="model", values="value").reindex(plain["metric"].unique())
        html: str = wide[self.models].to_html(float_format=lambda value: f"{value:.4f}")
        return html
