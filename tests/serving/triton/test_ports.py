import re
import socket

import pytest
from recsys_serving.triton.ports import Ports, is_reached_by_others

from recsys.errors import ServingError


def test_ports_are_free_and_different():
    assert len(set(Ports().found())) == 3


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ServingError, match=r"port \d+ of 127\.0\.0\.1 cannot be had"):
            Ports(grpc=other.getsockname()[1]).found()


def test_a_port_that_is_none_is_refused():
    with pytest.raises(ServingError, match="The port 70000 of"):
        Ports(http=70_000).found()


def test_a_port_for_two_interfaces_is_refused():
    with pytest.raises(ServingError, match=re.escape("Three different ports are required")):
        Ports(http=8000, grpc=8000).found()


def test_an_address_that_is_not_of_this_machine_is_refused():
    with pytest.raises(ServingError, match=r"of 192\.0\.2\.1 cannot be had"):
        Ports().found("192.0.2.1")
    with pytest.raises(ServingError, match=r"of 192\.0\.2\.1 cannot be had"):
        Ports().found(grpc_address="192.0.2.1")


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("127.0.0.1", False),
        ("127.8.0.1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("10.0.0.7", True),
        ("me", True),
    ],
)
def test_who_reaches_an_address(address: str, reached: bool):
    assert is_reached_by_others(address) is reached
