import pytest
from recsys_serving.triton.admin_key import admin_headers, restrictions


def test_the_key_of_another_server_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RECSYS_ADMIN_KEY", raising=False)
    assert admin_headers() == {}
    monkeypatch.setenv("RECSYS_ADMIN_KEY", "theirs")
    assert admin_headers() == {"triton-grpc-protocol-recsys-admin-key": "theirs"}
    assert admin_headers("ours") == {"triton-grpc-protocol-recsys-admin-key": "ours"}


def test_both_protocols_are_restricted_alike():
    http, grpc = restrictions("abc")
    assert http == "--http-restricted-api=model-repository,shared-memory,trace,logging:recsys-admin-key=abc"
    assert grpc == http.replace("http-restricted-api", "grpc-restricted-protocol")
