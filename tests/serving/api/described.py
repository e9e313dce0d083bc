"""Applications whose description is made once: that takes half a second, and each of them makes it when it starts."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from recsys_serving.settings import ServiceSettings

#: The description of applications with the same limits, as JSON.
_MADE: dict[str, str] = {}


def described(app: FastAPI, settings: ServiceSettings) -> FastAPI:
    """``app``, with the description that an earlier one of the same limits has made of itself, where there is one."""
    limits = repr(sorted((name, value) for name, value in settings.model_dump().items() if name.startswith("max_")))
    describe = app.openapi

    def once() -> dict[str, Any]:
        if app.openapi_schema is None:
            if limits not in _MADE:
                _MADE[limits] = json.dumps(describe())
            app.openapi_schema = json.loads(_MADE[limits])
        return describe()

    app.openapi = once  # type: ignore[method-assign]
    return app
