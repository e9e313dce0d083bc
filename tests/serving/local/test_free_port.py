import socket

import pytest
from recsys_serving.local.free_port import free_port

from recsys.errors import ServingError


def test_a_free_port_can_be_had():
    port = free_port("127.0.0.1")
    assert free_port("127.0.0.1", port) == port


def test_a_port_that_is_taken_is_named():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ServingError, match=f"The port {port} of 127.0.0.1 cannot be had"):
            free_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ServingError, match="cannot be had"):
        free_port("192.0.2.1")
