"""Everything that the service is seen with, on this machine, in the background: databases, service, app, model server.

The parts are started in the order in which they need each other, and stopped in the other one. What runs already is
left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import ServingError
from recsys.runtime.bundle import Bundle
from recsys_serving.local import launcher
from recsys_serving.local.app_server import page_answers, running_app, start_app, stop_app
from recsys_serving.local.background_server import BackgroundServer
from recsys_serving.local.installation import Installation
from recsys_serving.local.service_state import ServiceState, read_service_state
from recsys_serving.settings import ServiceSettings
from recsys_serving.triton import launcher as triton_launcher
from recsys_serving.triton.repository import write_repository
from recsys_serving.triton.served_bundle import version_of
from recsys_serving.triton.state import ServerState, running_server


@dataclass(frozen=True, slots=True)
class AppOptions:
    """How the app is started.

    Args:
        program: ``main.py`` of the app.
        host: where it listens.
        port: where it listens; None: the usual one, or else a free one.
    """

    program: Path
    host: str = "127.0.0.1"
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs of an installation; None is what does not.

    Args:
        service: the API with its workers and databases.
        app: its user interface.
        triton: the model server.
    """

    service: ServiceState | None
    app: BackgroundServer | None
    triton: ServerState | None

    @property
    def runs(self) -> bool:
        """Whether any part is there."""
        return self != Stack(None, None, None)

    @property
    def answers(self) -> bool:
        """Whether API and app are there and answer, and the model server where there is one."""
        return (
            self.service is not None
            and launcher.answers(self.service)
            and self.app is not None
            and page_answers(self.app)
            and (self.triton is None or triton_launcher.is_ready(self.triton))
        )


def read_stack(settings: ServiceSettings) -> Stack:
    """What runs of an installation."""
    installation = Installation.of(settings)
    service = read_service_state(installation.directory)
    running = service if service is not None and service.is_running else None
    return Stack(running, running_app(installation), running_server(installation.triton))


def start_stack(
    settings: ServiceSettings,
    app: AppOptions,
    triton_environment: Path | None = None,
    data: Path | None = None,
    timeout_seconds: float = 120.0,
    say: Callable[[str], None] = lambda text: None,
) -> Stack:
    """Start what does not run yet, and wait until the app's page answers.

    Args:
        settings: of the service.
        app: how its user interface is started.
        triton_environment: Python environment of a model server that answers for the service, made where it is
            missing; None: models run in the workers.
        data: a prepared directory whose interactions and items the store gets, once; None: that of the bundle's run.
        timeout_seconds: that each part may take.
        say: told what is done.

    Raises:
        ServingError: a part does not start, or what runs is another bundle or has no model server; what this call has
            started is stopped again.
        BundleError: there is no bundle.
    """
    installation, before = Installation.of(settings), read_stack(settings)
    if before.service is not None:
        _require_the_same(before, settings, triton_environment is not None)
    try:
        if before.service is None and triton_environment is not None:
            server = before.triton or _start_triton(installation, settings, triton_environment, timeout_seconds, say)
            settings = settings.model_copy(update={"runtime": "triton", "triton_url": server.grpc_url})
        if before.service is None:
            launcher.start(settings, data, timeout_seconds, say)
        if before.app is None:
            say("app")
            start_app(installation, app.program, app.host, app.port, timeout_seconds)
    except BaseException:  # whoever does not wait does not want it
        _stop_all_but(before, settings)
        raise
    return read_stack(settings)


def stop_stack(settings: ServiceSettings) -> list[str]:
    """Stop everything of an installation.

    Returns:
        Names of the parts that ran.
    """
    return _stop_all_but(Stack(None, None, None), settings)


def _stop_all_but(kept: Stack, settings: ServiceSettings) -> list[str]:
    """Stop the parts that ``kept`` does not have, the app first; names of those that ran."""
    installation = Installation.of(settings)
    stopped = []
    if kept.app is None and stop_app(installation):
        stopped.append("app")
    if kept.service is None and launcher.stop(settings):
        stopped.append("service")
    if kept.triton is None and installation.triton.is_dir() and triton_launcher.stop(installation.triton):
        stopped.append("Triton")
    return stopped


def _require_the_same(running: Stack, settings: ServiceSettings, wants_triton: bool) -> None:
    assert running.service is not None, "asked only of a service that runs"
    bundle = settings.bundle.absolute()
    if Path(running.service.bundle) != bundle:
        raise ServingError(
            f"The service in {Installation.of(settings).directory} runs with the bundle {running.service.bundle}, but "
            f"{bundle} was asked for. Stop it first, or make the bundle live by the API."
        )
    if wants_triton and running.triton is None:
        raise ServingError(
            f"The service in {Installation.of(settings).directory} runs without a model server, but one was asked for. "
            "Stop it first."
        )


def _start_triton(
    installation: Installation,
    settings: ServiceSettings,
    environment: Path,
    timeout_seconds: float,
    say: Callable[[str], None],
) -> ServerState:
    """A model server that has the bundle."""
    bundle = Bundle.open(settings.bundle)
    # Of each export of a bundle: one that is written anew under its old name is another one.
    repository = installation.triton / "repositories" / f"{bundle.manifest.name}-{version_of(bundle)}"
    if not repository.exists():
        repository.parent.mkdir(parents=True, exist_ok=True)
        write_repository(bundle, repository)
    options = triton_launcher.Options(timeout_seconds=timeout_seconds)
    return triton_launcher.start(
        installation.triton,
        repository,
        options=options,
        say=lambda text: say(f"Triton: {text}"),
        environment=environment,
    )
