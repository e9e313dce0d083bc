"""Retrain the live model with what the service has stored: ``python scripts/retrain.py``.

It trains several models on the store without its newest interactions, takes the best, and compares it with the live
bundle on interactions that are newer still. Where it is not worse it is trained on everything, exported, and made live.
A failure at any step leaves the live bundle, and the status tells. The last line is ``promoted: NAME`` or
``kept: NAME``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from pathlib import Path

    from omegaconf import DictConfig
    from recsys_serving.settings import ServiceSettings


@config_command("retrain")
def main(config: DictConfig) -> None:
    """Retrain once."""
    from dataclasses import fields
    from pathlib import Path

    from recsys.cli.console import console
    from recsys.cli.process.extras import require_libraries
    from recsys.data.readers.store.database import StoreDatabase
    from recsys.studies.retraining.retraining_settings import RetrainingSettings

    require_libraries("httpx", "fastapi", "psycopg", "onnx", "onnxscript", "onnxruntime")
    from recsys_serving.client.bundle_promotion import BundlePromotion
    from recsys_serving.client.connecting import connect
    from recsys_serving.settings import read_settings
    from recsys_serving.store.store import Store

    service = read_settings(**({} if config.var is None else {"var": config.var}))
    settings = RetrainingSettings(**{field.name: config[field.name] for field in fields(RetrainingSettings)})
    client = connect(service.var, config.url, config.key)
    url = database_url(service)
    store = Store.connect(url)
    from recsys.studies.retraining.retraining import Retraining  # once it is sure that there is something to do

    try:
        result = Retraining(
            BundlePromotion(client, store),
            StoreDatabase.locate(url),
            bundles_directory(service) if config.bundles is None else Path(config.bundles),
            service.var / "retraining",
            settings,
            lambda text: console.print(f"retraining: {text}", soft_wrap=True),
            show=lambda table: console.print(table.for_terminal()),
        ).run()
    finally:
        client.close()
        store.close()
    for name in result.deleted:
        console.print(f"retraining: deleted the old bundle {name}", soft_wrap=True)
    console.print(f"retraining: {result.reason}", soft_wrap=True)
    console.print(f"{'kept' if result.promoted is None else 'promoted'}: {result.live}", soft_wrap=True)


def database_url(settings: ServiceSettings) -> str:
    """Where the store is: that of the settings, or the embedded server of the installation."""
    from recsys_serving.local.embedded_postgres import postgres_status
    from recsys_serving.local.installation import Installation

    from recsys.errors import ServingError

    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    status = postgres_status(Installation.of(settings).postgres)
    if status.url is None:
        raise ServingError("No PostgreSQL server runs for this installation. Start it with make serve.")
    return status.url


def bundles_directory(settings: ServiceSettings) -> Path:
    """Where the running service looks for bundles."""
    from pathlib import Path

    from recsys_serving.local.service_state import read_service_state

    state = read_service_state(settings.var.absolute())
    if settings.bundles is not None or state is None:
        return settings.bundles_directory
    return Path(state.bundle).parent


if __name__ == "__main__":
    main()
