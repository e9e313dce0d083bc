import httpx
import pytest

from app.components import picture
from app.components.cover import cover_html
from app.service.posters import IMAGES, KEY_VARIABLE, Posters


def test_without_a_key_a_cover_is_drawn_and_nobody_is_asked(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setattr(picture, "posters_with", lambda key: pytest.fail("asked"))
    assert picture.picture_html("Fargo", "crime") == cover_html("Fargo", "crime")


def test_with_a_key_a_film_has_its_poster_and_others_a_cover(monkeypatch):
    def answer(request: httpx.Request) -> httpx.Response:
        results = [{"poster_path": "/fargo.jpg"}] if request.url.params["query"] == "Fargo" else []
        return httpx.Response(200, json={"results": results})

    posters = Posters("k", httpx.Client(transport=httpx.MockTransport(answer)))
    monkeypatch.setenv(KEY_VARIABLE, "k")
    monkeypatch.setattr(picture, "posters_with", lambda key: posters)
    posters.wait_for(["Fargo", "Oat milk"], seconds=30)
    assert f'src="{IMAGES}/fargo.jpg"' in picture.picture_html("Fargo", "crime")
    assert picture.picture_html("Oat milk", "drinks") == cover_html("Oat milk", "drinks")
    posters.close()
