"""The process that keeps the workers running: ``python -m recsys_serving.local.server HOST PORT``."""

from __future__ import annotations

import sys

import uvicorn

from recsys_serving.api.observability.logs import configure_logs
from recsys_serving.local.installation import Installation
from recsys_serving.local.log_rotation import LogRotation
from recsys_serving.local.store_keeper import StoreKeeper, task_of_environment
from recsys_serving.settings import read_settings

#: Makes the application of a worker.
APPLICATION = "recsys_serving.api.app:application"

#: Seconds after which a worker that does not say that it is alive is started again.
_WORKER_SECONDS = 30


def run(host: str, port: int) -> None:
    """Answer until the process is told to stop.

    Args:
        host: address to listen on.
        port: to listen on.
    """
    settings = read_settings()
    configure_logs(settings.log_level)
    task = task_of_environment()
    keeper = None if task is None else StoreKeeper(settings, task)
    rotation = LogRotation(Installation.of(settings).log, settings.log_max_bytes)
    rotation.start()
    if keeper is not None:
        keeper.start()
    try:
        uvicorn.run(
            APPLICATION,
            factory=True,
            host=host,
            port=port,
            workers=settings.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.shutdown_timeout_seconds),
            timeout_worker_healthcheck=_WORKER_SECONDS,
        )
    finally:
        rotation.close()
        if keeper is not None:
            keeper.close()


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
