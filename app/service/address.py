"""Where the service is, and with which key it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.service.errors import ServiceAway

URL_VARIABLE, KEY_VARIABLE, VAR_VARIABLE = "RECSYS_API_URL", "RECSYS_API_KEY", "RECSYS_VAR"


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A service.

    Args:
        url: such as ``http://127.0.0.1:8000``.
        key: an API key.
    """

    url: str
    key: str = field(repr=False)


def find_service(environment: Mapping[str, str]) -> ServiceAddress:
    """The service that the environment names, else the one that ``make serve`` started.

    Args:
        environment: with RECSYS_API_URL and RECSYS_API_KEY; what is missing is read from RECSYS_VAR, else ``var``, anew
            each time, because a service that starts again may have another port.

    Raises:
        ServiceAway: nothing says where it is, or with which key.
    """
    var = Path(environment.get(VAR_VARIABLE) or "var")
    url = environment.get(URL_VARIABLE) or _url_in(var)
    return ServiceAddress(url.rstrip("/"), environment.get(KEY_VARIABLE) or _key_in(var))


def _url_in(var: Path) -> str:
    try:
        state = json.loads((var / "service.json").read_text(encoding="utf-8"))
        host, port = str(state["host"]), int(state["port"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceAway(f"No service was started here: {var / 'service.json'} is not there.") from error
    host = "127.0.0.1" if host == "0.0.0.0" else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _key_in(var: Path) -> str:
    path = var / "secrets" / "api_key"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServiceAway(f"There is no API key in {path}. Set {KEY_VARIABLE}.") from error
