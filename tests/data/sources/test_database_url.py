from __future__ import annotations

import pytest
from sqlalchemy import make_url

from recsys.data.sources.database_url import database_url, place_of
from recsys.errors import SourceError


def test_the_url_is_the_given_one_or_that_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_URL", "postgresql://u:secret@there/shop")
    assert database_url("sqlite:///a.db", "SOME_URL", "", "").database == "a.db"
    assert database_url(None, "SOME_URL", "", "").host == "there"


def test_it_is_said_what_to_give_and_never_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_URL", raising=False)
    with pytest.raises(SourceError, match="^A database is needed, or the variable SOME_URL, which"):
        database_url(None, "SOME_URL", "A database is needed", "")
    for wrong in ("secret", "postgresql://u@h:secret/x"):
        with pytest.raises(SourceError, match="^It must be a URL, and is not. Correct it, or") as refused:
            database_url(wrong, "SOME_URL", "", "It must be a URL")
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:p@there:5433/shop", "there:5433/shop"),
        ("postgresql:///other?host=/run/db", "/run/db/other"),
        ("postgresql:///other", "localhost/other"),
    ],
)
def test_the_place_has_neither_user_nor_password(url: str, place: str) -> None:
    assert place_of(make_url(url)) == place
