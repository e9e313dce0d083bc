"""Reads what is appended to the data of a run, in the form of the tables that the run was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recsys.data.prepared_files import SCHEMA_FILE
from recsys.data.raw import Reader
from recsys.data.readers.prepared import PreparedReader
from recsys.data.readers.table import TableReader
from recsys.errors import RunError

#: Settings of ``data=table`` that hold for later tables of the same form.
FORM = ("columns", "separator", "encoding", "header", "day_first", "list_separators")
_TABLE, _PREPARED = (f"{reader.__module__}.{reader.__name__}" for reader in (TableReader, PreparedReader))


@dataclass(frozen=True, slots=True)
class NewData:
    """Tables that are appended.

    Args:
        interactions: a file, a directory or a pattern as ``data.interactions``; or a prepared directory.
        users: rows of users, which take the place of earlier ones; None: none.
        items: the same of items.
        columns: names of the columns, in place of those of the run's tables; None: these.
        day_first: whether the day comes before the month in dates such as 03/04/2024, which those of one day seldom
            tell; None: as of the run's tables.
    """

    interactions: str
    users: str | None = None
    items: str | None = None
    columns: Mapping[str, Any] | None = None
    day_first: bool | None = None

    def reader(self, config: DictConfig) -> Reader:
        """What reads the tables.

        Args:
            config: of the run.

        Raises:
            RunError: there is no name, it is a URL, or a prepared directory is given beside other tables.
            DataError: a setting of the form is none.
        """
        for name in ("interactions", "users", "items"):
            given = getattr(self, name)
            if given == "":
                raise RunError(f"{name} must be a file, a directory or a pattern, but is empty. Give its path.")
            if given is not None and "://" in str(given):
                raise RunError(
                    f"An update reads files of this machine, but {name}={given} is a URL. Fetch it first, or prepare "
                    "it with data=remote and give the prepared directory as interactions."
                )
        if (Path(self.interactions) / SCHEMA_FILE).is_file():
            if self.users is not None or self.items is not None:
                raise RunError(
                    f"{self.interactions} is a prepared directory, which has users and items of its own. Leave users= "
                    "and items= out."
                )
            return PreparedReader(self.interactions)
        return TableReader(interactions=self.interactions, users=self.users, items=self.items, **self.form(config))

    def form(self, config: DictConfig) -> dict[str, Any]:
        """Settings of the form, with those that are given here."""
        data = config.data
        found: dict[str, Any] = {}
        if data is not None and data._target_ == _TABLE:
            found = {name: data.get(name) for name in FORM}
        elif data is not None and data._target_ == _PREPARED:
            found = {name: (data.get("table") or {}).get(name) for name in FORM}
        for name, value in found.items():
            found[name] = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        if self.columns:
            found["columns"] = {**(found.get("columns") or {}), **self.columns}
        if self.day_first is not None:
            found["day_first"] = self.day_first
        return {name: value for name, value in found.items() if value is not None}
