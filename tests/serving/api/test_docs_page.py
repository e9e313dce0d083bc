import re

from recsys_serving.api.docs_page import docs_page

from tests.serving.api.conftest import Api


def test_the_page_has_every_operation_and_every_kind_of_problem(api: Api):
    page = api.client.get("/docs").text
    schema = api.client.get("/openapi.json").json()
    assert page.count("<details>") == sum(len(methods) for methods in schema["paths"].values())
    assert 'id="too-many-requests"' in page


def test_the_page_loads_nothing(api: Api):
    page = api.client.get("/docs").text
    assert not re.search(r"<script|<link|<img|@import|src=|https?:", page)


def test_texts_are_escaped():
    told = {"summary": "<b>", "tags": ["x"], "responses": {}, "description": "&"}
    schema = {"info": {"title": "t<", "description": "d"}, "openapi": "3.1.0", "paths": {"/<p>": {"get": told}}}
    page = docs_page(schema)
    assert "&lt;b&gt;" in page and "t&lt;" in page and "/&lt;p&gt;" in page
