"""Write the lists of all users: ``python scripts/recommend_all.py run=DIR output=lists.parquet``.

``bundle=DIR`` asks a bundle in place of a run, ``users=FILE`` names the users, ``.csv`` is the other format, and a name
without an ending is a directory of Parquet files. The same command goes on with what was interrupted, and leaves what
is whole as it is. ``engine=ray`` has all processors of a Ray cluster answer. The last line of the output is ``lists:
PATH``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.cli.command import config_command
from recsys.cli.commands import same_command

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.api.frame_recommender import FrameRecommender

#: Settings of the lists that are the same in a request.
OPTIONS = ("exclude_seen", "now", "filters", "diversity", "diversity_weight", "diversity_column")


@config_command("recommend_all")
def main(config: DictConfig) -> None:
    """Write the lists, and say how long it took."""
    import time
    from pathlib import Path

    from recsys.api.list_file import check_engine, list_writing
    from recsys.api.user_file import read_user_ids
    from recsys.cli.console import console

    source = opened(config.run, config.bundle)
    check_engine(config.engine, source)
    users = source.user_labels() if config.users is None else read_user_ids(Path(config.users))
    begin = time.perf_counter()
    try:
        writing = list_writing(
            source,
            Path(config.output),
            users,
            k=config.k,
            titles=config.titles,
            part_size=config.part_size,
            **list_options(config),
        )
        if finished := writing.finished:
            console.print("finished before")
        else:
            writing.write(engine=config.engine)
    except KeyboardInterrupt:
        console.print(f"not finished; to go on: {same_command('recommend_all')}")
        raise
    seconds = time.perf_counter() - begin
    if not finished:
        console.print(f"{len(users):,} lists in {seconds:.1f} s, {len(users) / seconds:,.0f} a second")
    console.print(f"lists: {config.output}", soft_wrap=True)


def opened(run: str | None, bundle: str | None) -> FrameRecommender:
    """What the command line names.

    Raises:
        RunError: not exactly one of both is named.
    """
    from recsys.errors import RunError

    if (run is None) == (bundle is None):
        raise RunError(f"Give either run=DIR or bundle=DIR; {'neither' if run is None else 'both'} came.")
    if run is not None:
        from recsys.api.loading import opened_run

        return opened_run(run)
    from recsys.api.bundle_model import opened_bundle  # without PyTorch

    return opened_bundle(str(bundle))


def list_options(config: DictConfig) -> dict[str, Any]:
    """What the lists may have, as a request has it."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from recsys.cli.command_line import ids_as_written

    options: dict[str, Any] = {}
    if config.exclude_items is not None:
        overrides = HydraConfig.get().overrides.task
        options["exclude_items"] = ids_as_written("exclude_items", config.exclude_items, overrides)
    for name in OPTIONS:
        value = config[name]
        options[name] = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return options


if __name__ == "__main__":
    main()
