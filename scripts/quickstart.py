"""From your table to recommendations on screen: ``python scripts/quickstart.py ratings.csv --items items.csv``.

Columns are recognised, shown, and asked about where they are not sure; the best of a few fast models is chosen on
validation, tested, fitted on everything and exported, and the whole stack is started on the data. ``--yes`` asks
nothing. The last line is ``app: URL``, or ``bundle: DIR`` with ``serve=false``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import as_one, long_options

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.studies.quickstart.quickstart import QuickstartResult, Tables


@config_command("quickstart", positional=as_one("interactions"), options=long_options(("items",), ("yes",)))
def main(config: DictConfig) -> None:
    """Look at the tables, choose, train, export, start."""
    from recsys.cli.commands import app_program
    from recsys.cli.console import console
    from recsys.cli.output_directory import new_directory
    from recsys.cli.process.extras import require_libraries
    from recsys.studies.quickstart.quickstart import Quickstart, holdout_table

    require_libraries("faiss", "onnx", "onnxruntime", "onnxscript")
    if config.serve:
        require_libraries("fastapi", "psycopg", "streamlit")
        app_program()  # before anything takes time
    say = lambda text: console.print(f"quickstart: {text}", soft_wrap=True)  # noqa: E731
    tables = _tables(config)
    directory = new_directory(Path(config.output), tables.name, "quickstart", "output=").absolute()
    say(f"everything goes to {directory}")
    result = Quickstart(directory, tables, list(config.models), config.limit_seconds, say).run()
    best = result.selection.best.candidate
    console.print(result.selection.table().for_terminal())
    console.print(holdout_table(result.run, best.name).for_terminal())
    say(", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items()))
    _tell_next(tables, result)
    console.print(f"bundle: {result.bundle}", soft_wrap=True)
    if config.serve:
        _serve(config, directory / "var", result.bundle)


def _tables(config: DictConfig) -> Tables:
    """The tables with their columns, which are shown."""
    from omegaconf import OmegaConf

    from recsys.cli.console import console
    from recsys.cli.question import can_ask, choose
    from recsys.data.readers.tables.availability import availability_filters
    from recsys.data.readers.tables.table_sample import read_table_sample
    from recsys.data.sources.raw_file import RawFile
    from recsys.errors import DataError
    from recsys.studies.quickstart.columns import choose_columns, columns_table
    from recsys.studies.quickstart.quickstart import Tables

    files = [config["interactions"], config["items"]]  # .items is a method of mappings
    path, item_path = (None if file is None else Path(file) for file in files)
    assert path is not None, "a setting without a default"
    header = OmegaConf.to_container(config.header) if OmegaConf.is_config(config.header) else config.header
    try:
        interactions = read_table_sample(RawFile(path), header)
    except DataError as error:  # it speaks of data.header and data.columns, which are settings of this command
        raise DataError(str(error).replace("data.", "")) from error
    items = None if item_path is None else read_table_sample(RawFile(item_path))
    given = {role: None if name is None else str(name) for role, name in config.columns.items()}
    ask = choose if can_ask() and not config.yes else None
    columns = choose_columns(interactions, items, given, ask)
    console.print(columns_table(columns))
    filters = {} if items is None or not config.available_only else availability_filters(items)
    if filters:
        console.print(f"Lists keep to items that can be had, by {', '.join(filters)}; available_only=false: to none.")
    return Tables(path, item_path, columns, filters, header)


def _tell_next(tables: Tables, result: QuickstartResult) -> None:
    """What goes on from here."""
    import shlex

    from recsys.cli.commands import typed_command
    from recsys.cli.console import console

    settings = shlex.join(tables.settings())
    console.print("More models, searched for longer, and who is better than whom:")
    console.print_command(f"{typed_command('benchmark_models')} {settings} minutes=10", indent="  ")
    console.print("Lists in a file:")
    lists = f"bundle={shlex.quote(str(result.bundle))} output=lists.csv"
    console.print_command(f"{typed_command('recommend_all')} {lists}", indent="  ")


def _serve(config: DictConfig, var: Path, bundle: Path) -> None:
    """Start the stack, as ``scripts/stack.py`` does."""
    import subprocess
    import sys

    from recsys.cli.commands import script_path

    settings = [
        f"bundle={bundle}",
        f"var={var}",
        *(f"{name}={config[name]}" for name in ("app_port", "workers") if config[name]),
    ]
    status = subprocess.run([sys.executable, str(script_path("stack")), "action=start", *settings]).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
