from app.service.api import ServiceApi
from app.service.errors import NotAllowed, NotNow, ServiceAway
from tests.app.conftest import texts


def test_dependencies_numbers_and_receipts_are_shown(address, api, store, open_page):
    api.recommend([{"user_id": "anna", "k": 3}])
    store.users.erase("ben")
    page = open_page("system")
    assert not page.exception and "Everything answers." in texts(page) and "Store answers" in texts(page)
    values = {one.label: one.value for one in page.metric}
    assert values["Lists"] == "1" and values["Waiting in the spool"] == "0"
    stages = next(one.value for one in page.table if "Check the request" in list(one.value["Name"]))
    assert list(stages["Name"])[:2] == ["Read the user's history", "Take over what is new"]
    assert len(page.dataframe[0].value) == 1 and "Nobody has asked" not in texts(page)


def test_who_may_not_read_receipts_sees_the_rest(address, open_page, monkeypatch):
    def refuse(self, limit):
        raise NotAllowed("The key lacks admin.", 403)

    monkeypatch.setattr(ServiceApi, "erasures", refuse)
    page = open_page("system")
    assert "The key lacks admin." in texts(page) and page.metric


def test_receipts_wait_for_the_store(address, open_page, monkeypatch):
    def refuse(self, limit):
        raise NotNow("Away.", 503)

    monkeypatch.setattr(ServiceApi, "erasures", refuse)
    assert "cannot be read while the store is away" in texts(open_page("system"))


def test_what_is_away_is_named(address, open_page, monkeypatch):
    redis = {"status": "down", "required": False, "effect": "slower", "detail": "ConnectionError"}
    monkeypatch.setattr(ServiceApi, "readiness", lambda self: {"status": "degraded", "dependencies": {"redis": redis}})
    assert "Redis is away" in texts(open_page("system"))


def test_a_service_that_goes_away_is_said(address, open_page, monkeypatch):
    def fail(self):
        raise ServiceAway("Nothing answers.")

    monkeypatch.setattr(ServiceApi, "readiness", fail)
    page = open_page("system")
    assert not page.exception and page.code[0].value == "make serve"


def test_nobody_has_been_forgotten(address, open_page):
    assert "Nobody has asked to be forgotten" in texts(open_page("system"))
