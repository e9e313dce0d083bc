import pytest
from recsys_serving.api.observability.request_ids import choose_request_id, current_request_id, set_request_id


def test_a_plain_id_of_the_client_is_kept():
    assert choose_request_id(b"Trace-1.b_2") == "Trace-1.b_2"


@pytest.mark.parametrize("given", [None, b"", b"a b", b'x","admin":"1', b"a\nb", b"x" * 65, "é".encode()])
def test_any_other_id_is_replaced(given):
    assert len(choose_request_id(given)) == 32


def test_the_id_of_the_request_is_known_while_it_is_answered():
    assert current_request_id() == ""
    set_request_id("one")
    assert current_request_id() == "one"
    set_request_id("")
