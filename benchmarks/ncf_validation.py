"""Chooses hyper-parameters for the NCF protocol on a validation split out of its training rows; never reads the test.

::

    python benchmarks/ncf_validation.py --root DIR --experiment ncf_mf \
        --try "training.optimizer.lr=0.01" --try "training.optimizer.lr=0.03 training.l2=0.005"

One random training interaction of each user is held out and ranked among 99 random items that the user has no training
interaction with, as the protocol does with the test. The experiment is first run as it is, then with each ``--try``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.evaluation.fixed_negatives import evaluate_fixed_negatives
from recsys.runs.assembly import build_data, build_model, build_split
from recsys.runs.model_fitting import ModelFitter
from recsys.studies.tuning.validation import among_sampled_negatives

CONFIGS = Path(__file__).parents[1] / "configs"
NUM_NEGATIVES = 99


def main() -> None:
    """Run each setting and print its validation numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="directory with the files of the protocol")
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--try", dest="tries", action="append", default=[], help="Hydra overrides, divided by spaces")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the validation split and the model")
    arguments = parser.parse_args()
    columns = ("overrides", "seed", "HR@10", "NDCG@10", "strict HR@10", "strict NDCG@10", "seconds")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    for overrides in ("", *arguments.tries):
        for seed in arguments.seeds:
            settings = [f"experiment={arguments.experiment}", f"data.root={arguments.root}", f"seed={seed}"]
            config = compose_config("train", overrides=[*settings, "name=ncf", *overrides.split()])
            prepared = build_data(config)
            whole = FeedbackView.implicit(prepared)
            view, split, pairs = among_sampled_negatives(
                whole, build_split(config, whole.interactions), NUM_NEGATIVES, seed
            )
            model = build_model(config.model, config.seed, prepared)
            started = time.perf_counter()
            ModelFitter(config, view, split).fit(model)
            seconds = time.perf_counter() - started
            numbers = evaluate_fixed_negatives(
                model.eval(),
                pairs.users,
                pairs.targets,
                pairs.negatives,
                histories=pairs.histories,
                bootstrap_samples=0,
            ).flat()
            names = [f"{name}@10{ties}" for ties in ("", "_strict") for name in ("hit_rate", "ndcg")]
            shown = " | ".join(f"{numbers[f'sampled-{NUM_NEGATIVES}/{name}']:.4f}" for name in names)
            print(f"| {overrides or 'as it is'} | {seed} | {shown} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
