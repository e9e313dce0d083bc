import httpx
import pytest

from app.service.address import ServiceAddress
from app.service.api import ServiceApi
from app.service.errors import NotAllowed, NotThere, ServiceAway


def answering(handler):
    api = ServiceApi(ServiceAddress("http://service", "rk"))
    api._client.close()
    api._client = httpx.Client(base_url="http://service", transport=httpx.MockTransport(handler))
    return api


def test_users_rate_and_get_lists(api):
    api.create_user("an/na")
    assert api.user("an/na")["user_id"] == "an/na"
    assert "an/na" in api.users("an") and api.users("zz") == []
    api.append_interaction({"user_id": "an/na", "item_id": "i02", "type": "rating", "value": 5.0})
    (stored,) = api.interactions("an/na")
    assert (stored["item_id"], stored["value"], stored["title"]) == ("i02", 5.0, "Square 2")
    (found,) = api.recommend([{"user_id": "an/na", "k": 3}])
    assert found["personalized"] and len(found["items"]) == 3
    api.delete_interaction(stored["event_id"])
    assert api.interactions("an/na") == []


def test_items_are_found_and_described(api):
    catalogue = api.catalogue()
    assert catalogue["diversity_column"] == "colours"
    assert api.elicitation(2, [], ["colours"])[0]["metadata"]["colours"]
    assert api.search("Sqare 4", 3, ["colours"])["items"]
    assert api.item("i04")["title"] == "Square 4"
    assert len(api.similar("i04", "model", 3, [])["items"]) == 3
    assert api.activity("i04", "week") == []
    with pytest.raises(NotThere):
        api.item("none")


def test_the_service_tells_how_it_is(api):
    assert api.readiness()["status"] == "ready"
    assert "recsys_requests_total" in api.metrics()
    assert api.erasures(5) == []


def test_a_wrong_key_is_refused(address):
    stranger = ServiceApi(ServiceAddress(address.url, "rk_wrong"))
    with pytest.raises(NotAllowed):
        stranger.catalogue()
    stranger.close()


def test_not_being_ready_is_an_answer():
    api = answering(lambda request: httpx.Response(503, json={"status": "unavailable", "dependencies": {}}))
    assert api.readiness()["status"] == "unavailable"
    api.close()


@pytest.mark.parametrize(
    ("error", "words"), [(httpx.ReadTimeout, "takes too long"), (httpx.ConnectError, "Nothing answers at")]
)
def test_nobody_who_answers_is_away(error, words):
    def fail(request):
        raise error("")

    api = answering(fail)
    with pytest.raises(ServiceAway, match=words):
        api.catalogue()
    api.close()


@pytest.mark.parametrize("content", [b"<html>", b"[1]"])
def test_another_server_is_not_taken_for_the_service(content):
    api = answering(lambda request: httpx.Response(200, content=content))
    with pytest.raises(ServiceAway, match="is not the service"):
        api.catalogue()
    api.close()
