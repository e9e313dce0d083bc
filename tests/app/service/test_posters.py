import httpx
import pytest

from app.service.posters import IMAGES, Film, Posters, film_of

KEY, TOKEN = "k" * 32, "t" * 180


@pytest.mark.parametrize(
    ("title", "film"),
    [
        ("Matrix, The (1999)", Film("The Matrix", 1999)),
        ("Avventura, L' (1960)", Film("L'Avventura", 1960)),
        ("Fargo (1996)", Film("Fargo", 1996)),
        ("2001: A Space Odyssey", Film("2001: A Space Odyssey", None)),
        ("Good, the Bad and the Ugly, The", Film("The Good, the Bad and the Ugly", None)),
    ],
)
def test_a_title_is_written_as_it_is_spoken(title, film):
    assert film_of(title) == film


class Tmdb:
    """Answers as TMDB does, and counts."""

    def __init__(self, answer: httpx.Response):
        self.asked, self.answer = [], answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer

    def posters(self, key: str = KEY) -> Posters:
        return Posters(key, httpx.Client(transport=httpx.MockTransport(self)))


def found(*paths) -> httpx.Response:
    return httpx.Response(200, json={"results": [{"poster_path": path} for path in paths]})


def test_a_film_is_searched_for_once_by_its_title_and_year():
    tmdb = Tmdb(found(None, "/a.jpg", "/b.jpg"))
    posters = tmdb.posters()
    posters.wait_for(["Matrix, The (1999)", "Matrix, The (1999)"], seconds=30)
    assert posters.poster_of("Matrix, The (1999)") == IMAGES + "/a.jpg"
    (request,) = tmdb.asked
    assert dict(request.url.params) == {"query": "The Matrix", "year": "1999", "api_key": KEY}
    posters.close()


def test_a_token_is_no_part_of_an_address():
    tmdb = Tmdb(found("/a.jpg"))
    posters = tmdb.posters(TOKEN)
    posters.wait_for(["Fargo"], seconds=30)
    assert tmdb.asked[0].headers["Authorization"] == f"Bearer {TOKEN}" and TOKEN not in str(tmdb.asked[0].url)
    posters.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={}),
        httpx.Response(200, text="no JSON"),
        httpx.Response(200, json=[]),
        found(),
        found('/"><script>'),
    ],
)
def test_what_is_wrong_or_not_there_has_no_poster(answer):
    posters = Tmdb(answer).posters()
    posters.wait_for(["Fargo"], seconds=30)
    assert posters.poster_of("Fargo") is None
    posters.close()


def test_what_could_not_be_reached_is_tried_again():
    tmdb = Tmdb(found("/a.jpg"))
    attempts = []

    def fail_once(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        if len(attempts) == 1:
            raise httpx.ConnectError("away")
        return tmdb(request)

    posters = Posters(KEY, httpx.Client(transport=httpx.MockTransport(fail_once)))
    posters.wait_for(["Fargo"], seconds=30)
    posters.wait_for(["Fargo"], seconds=30)
    assert posters.poster_of("Fargo") == IMAGES + "/a.jpg"
    posters.close()
