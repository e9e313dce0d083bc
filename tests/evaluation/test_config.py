from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.evaluation.ranking import RankingEvaluator


def test_the_default_config_makes_the_default_evaluator_with_progress():
    config = OmegaConf.load(Path(__file__).parents[2] / "configs" / "evaluation" / "default.yaml")
    assert vars(instantiate(config)) == vars(RankingEvaluator(progress=True))
