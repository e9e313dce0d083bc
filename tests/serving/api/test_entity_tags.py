import re

import pytest
from recsys_serving.api.entity_tags import TAG_PATTERN, entity_tag, expected_revision, is_not_modified
from recsys_serving.api.problems import ProblemError


def test_a_tag_names_its_revision():
    assert expected_revision(entity_tag(12)) == 12


@pytest.mark.parametrize("header", [None, "*", " * "], ids=["none", "star", "blanks"])
def test_any_revision_will_do(header):
    assert expected_revision(header) is None


def test_a_weak_tag_names_the_same_revision():
    assert expected_revision('W/"12"') == 12


@pytest.mark.parametrize("header", ["12", '"a"', '"1", "2"', '"1' + "0" * 30 + '"', ""])
def test_what_is_no_tag_is_refused(header):
    with pytest.raises(ProblemError, match="must be the ETag"):
        expected_revision(header)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), ('"12"', True), ('W/"12"', True), ('"11", "12"', True), ("*", True), ('"11"', False)],
)
def test_whether_a_client_has_a_revision(header, expected):
    assert is_not_modified(header, 12) is expected


@pytest.mark.parametrize("tag", ['"12"', 'W/"12"', "*", '"0"', '"000000000000000001"'])
def test_what_is_described_as_a_tag_is_read(tag):
    assert re.fullmatch(TAG_PATTERN, tag)
    expected_revision(tag)


@pytest.mark.parametrize("tag", ["12", '"a"', '""', '"1234567890123456789"', '"1", "2"'])
def test_what_is_not_described_as_a_tag_is_refused(tag):
    assert not re.fullmatch(TAG_PATTERN, tag)
    with pytest.raises(ProblemError):
        expected_revision(tag)
