import httpx
import pytest

from app.service.errors import NotAllowed, NotNow, NotThere, ServiceRefused, problem_of


def answer(status, **told):
    return httpx.Response(status, json=told)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAllowed), (403, NotAllowed), (404, NotThere), (429, NotNow), (503, NotNow), (409, ServiceRefused)],
)
def test_the_status_says_what_kind_it_is(status, kind):
    problem = problem_of(answer(status, detail="Why.", request_id="r1"))
    assert type(problem) is kind
    assert (problem.status, problem.request_id) == (status, "r1")
    assert str(problem).startswith("Why.")


def test_single_fields_are_named():
    problem = problem_of(answer(422, title="Wrong", errors=[{"field": "body.k", "message": "At most 200"}, "odd"]))
    assert str(problem) == "Wrong (body.k: At most 200)"


def test_a_key_that_is_not_enough_says_what_to_do():
    assert "RECSYS_API_KEY" in str(problem_of(answer(403, detail="No.")))


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b""])
def test_what_is_no_problem_is_told_by_its_status(content):
    assert str(problem_of(httpx.Response(500, content=content))) == "The service answered with status 500."
