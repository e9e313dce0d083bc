import pytest
from streamlit.testing.v1 import AppTest

from app.components.states import is_back
from app.service.errors import NotNow, NotThere, ServiceAway
from tests.app.conftest import PATIENCE_SECONDS, texts


def drawn(error):
    from app.components.states import page

    def draw():
        raise error

    page(draw)()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ServiceAway("Nothing answers."), ("The service does not answer", "Nothing answers.", "goes on by itself")),
        (NotNow("Too often.", 429), ("Too often.", "goes on by itself")),
        (NotThere("There is none.", 404, "r1"), ("There is none.", "Request r1")),
    ],
    ids=["away", "not now", "refused"],
)
def test_what_went_wrong_is_said_in_words(error, words):
    page = AppTest.from_function(drawn, kwargs={"error": error}, default_timeout=PATIENCE_SECONDS).run()
    assert not page.exception
    assert all(word in texts(page) for word in words)
    assert [code.value for code in page.code] == (["make serve"] if isinstance(error, ServiceAway) else [])


def test_it_is_back_when_it_answers(address):
    assert is_back(accepts_degraded=True) and is_back(accepts_degraded=False)


def test_it_is_not_back_while_nobody_answers():
    assert not is_back(accepts_degraded=True)
