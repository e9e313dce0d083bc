import pytest

from app.service.connection import catalogue, evaluation, experiments, first_users, item_map, service
from app.service.errors import ServiceAway


def test_there_is_one_client(address):
    assert service() is service()


def test_what_is_read_often_is_remembered(address, api, monkeypatch):
    api.create_user("anna")
    assert catalogue()["num_items"] > 0 and first_users(5) == ["anna"]
    assert evaluation("ease")["models"] and item_map("ease", 10)["items"] == [] and experiments().all() == []
    api.create_user("ben")
    assert first_users(5) == ["anna"]


def test_without_a_service_it_is_away():
    with pytest.raises(ServiceAway):
        service()
