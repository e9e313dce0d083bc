from contextlib import ExitStack

import pytest
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.opening import open_parts, open_store
from recsys_serving.settings import ServiceSettings

from recsys.errors import BundleError, SettingsError


def test_an_application_needs_the_address_of_its_store():
    with pytest.raises(SettingsError, match="set RECSYS_DATABASE_URL"), ExitStack() as stack:
        open_store(ServiceSettings(), stack)


def test_a_store_that_is_away_is_opened_all_the_same():
    with ExitStack() as stack:
        assert open_store(ServiceSettings(database_url="postgresql://nobody@127.0.0.1:1/none"), stack) is not None


def test_a_bundle_that_is_not_there_is_named(database_url, tmp_path):
    settings = ServiceSettings(
        database_url=database_url, redis_url="memory", var=tmp_path / "var", bundle=tmp_path / "none"
    )
    with pytest.raises(BundleError, match="none"), ExitStack() as stack:
        open_parts(settings, ServiceMetrics(), stack)
