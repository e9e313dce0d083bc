import pytest

from app.service.bundles import BundleApi
from app.service.errors import NotThere, ServiceRefused


def test_bundles_are_read_and_made_live(api):
    bundles = BundleApi(api)
    assert bundles.overview()["available"] == ["ease"]
    assert bundles.evaluation("ease")["bundle"] == "ease" and bundles.item_map("ease", 10)["note"]
    assert bundles.activate("ease", " because ")["live"]
    assert bundles.overview()["deployments"][0]["note"] == "because"
    with pytest.raises(NotThere):
        bundles.activate("none", None)
    with pytest.raises(ServiceRefused, match="A bundle that was live before is required"):
        bundles.roll_back("")
