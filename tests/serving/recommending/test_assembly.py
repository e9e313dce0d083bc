import pytest
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.types import RecommendationQuery
from recsys_serving.resilience.health import HealthRegistry

from recsys.errors import BundleError
from tests.serving.recommending.conftest import PATIENT


def test_a_service_needs_a_bundle_alone(bundles):
    options = RecommendingOptions(bundles=bundles, bundle="ease", cursor_secret=b"s" * 32, **PATIENT)
    health = HealthRegistry()
    service = open_service(options, store=None, spool=None, cache=None, health=health)
    try:
        assert len(service.recommend([RecommendationQuery(k=3)])[0].items) == 3
        assert service.activate("two_tower", "tests").live and service.roll_back("tests").name == "ease"
        assert {one.name for one in health.all()} == {"runtime", "store"}
    finally:
        service.close()


def test_a_bundle_that_is_missing_is_an_error(bundles):
    options = RecommendingOptions(bundles=bundles, bundle="none", cursor_secret=b"s" * 32)
    with pytest.raises(BundleError, match="A bundle is required"):
        open_service(options, None, None, None, HealthRegistry())


def test_a_model_server_that_is_away_is_done_without(new_service):
    health = HealthRegistry()
    service = new_service(health=health, runtime="triton", triton_url="127.0.0.1:1", runtime_timeout_seconds=2.0)
    answer = service.recommend([RecommendationQuery(k=3)])[0]
    assert len(answer.items) == 3 and answer.degraded == ("runtime",) and health.of("runtime").state == "failing"
