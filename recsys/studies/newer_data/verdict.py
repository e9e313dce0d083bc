"""What a comparison on newer interactions advises to do."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.cli.commands import typed_command
from recsys.studies.comparison.comparing import Comparison, PairedComparison
from recsys.studies.newer_data.contestants import Contestant


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do.

    Args:
        winner: label of who should be live.
        reason: in a sentence.
        command: makes the winner live; None where it is the champion, which may stay.
    """

    winner: str
    reason: str
    command: str | None


def verdict(comparison: Comparison, contestants: list[Contestant]) -> Verdict:
    """Promote the best of the challengers that are significantly better than the champion; else keep the champion.

    Args:
        comparison: its baseline is the champion.
        contestants: those that were compared.
    """
    champion = comparison.settings.baseline or comparison.runs[0].label
    better = [pair for pair in comparison.against_baseline if pair.significant and pair.difference.mean > 0]
    if better:
        best = max(better, key=lambda pair: pair.difference.mean)
        winner = next(one for one in contestants if one.label == best.first)
        return Verdict(best.first, f"promote {best.first}: {_told(comparison, best)}", _promotion(winner))
    best = max(comparison.against_baseline, key=lambda pair: pair.difference.mean)
    worse = best.significant and best.difference.mean < 0
    why = "every challenger is worse" if worse else "no challenger is shown to be better"
    more = "" if worse else "; more newer interactions would show smaller differences"
    return Verdict(champion, f"keep {champion}: {why} ({_told(comparison, best)}){more}", None)


def _told(comparison: Comparison, pair: PairedComparison) -> str:
    low, high = pair.difference.interval
    users = len(comparison.runs[0].per_user)
    return (
        f"{comparison.metric} of {pair.first} is {pair.difference.mean:+.4f} [{low:+.4f}, {high:+.4f}] from that of "
        f"{pair.second}, corrected p {pair.corrected_p:.3f}, {users:,} users"
    )


def _promotion(winner: Contestant) -> str:
    """The command that makes the winner live; a run is made a bundle first."""
    if winner.is_bundle:
        return f"{typed_command('promote')} bundle={winner.path} alias=champion"
    bundle = f"bundles/{winner.path.name}"
    return (
        f"{typed_command('export')} run={winner.path} output={bundle} && {typed_command('promote')} bundle={bundle} "
        "alias=champion"
    )
