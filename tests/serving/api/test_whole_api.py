"""Every operation of the OpenAPI description, with values that schemathesis makes up: no 5xx, answers as described.

The long run, with sequences of requests along the links, is ``python benchmarks/api_fuzz.py``.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from recsys_serving.api.app import create_app
from recsys_serving.settings import ServiceSettings
from schemathesis.checks import CHECKS, load_all_checks

from tests.serving.api.conftest import Api

load_all_checks()

#: Values that are as described may still be refused: a column that does not exist, buckets that are taken.
NOT_CHECKED = ("positive_data_acceptance",)
CHECKED = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_CHECKED]

DESCRIBED = create_app(ServiceSettings(redis_url="memory")).openapi()
OPERATIONS = [(method, path) for path, methods in DESCRIBED["paths"].items() for method in methods]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_the_api_keeps_to_its_description(method: str, path: str, api: Api) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", api.app)[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {api.key}"}, checks=CHECKED)

    check()
