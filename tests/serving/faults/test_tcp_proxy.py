from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.serving.faults.tcp_proxy import Fault, TcpProxy

QUESTION, ANSWER = b"question", b"a long answer"


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    """Says the same to whatever it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                while connection.recv(1024):
                    connection.sendall(ANSWER)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(server: tuple[str, int]) -> Iterator[TcpProxy]:
    with TcpProxy(server, delay_seconds=0.3, cut_bytes=6) as proxy:
        yield proxy


def connected(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=600)


def asked(client: socket.socket) -> bytes:
    client.sendall(QUESTION)
    return client.recv(1024)


def test_what_is_said_goes_through(proxy: TcpProxy):
    with connected(proxy) as client:
        assert asked(client) == ANSWER


def test_a_refused_connection_and_one_that_was_open(proxy: TcpProxy):
    with connected(proxy) as client:
        assert asked(client) == ANSWER
        proxy.make(Fault.REFUSE)
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        try:
            assert asked(client) == b""
        except ConnectionError:
            pass


def test_the_port_stays_the_same_after_it_was_refused(proxy: TcpProxy):
    proxy.make(Fault.REFUSE)
    proxy.make(Fault.PASS)
    with connected(proxy) as client:
        assert asked(client) == ANSWER


def test_a_dropped_connection_ends_without_an_answer(proxy: TcpProxy):
    proxy.make(Fault.DROP)
    with connected(proxy) as client, pytest.raises(ConnectionError):
        if not asked(client):
            raise ConnectionError


def test_a_cut_answer_is_the_beginning_of_one(proxy: TcpProxy):
    proxy.make(Fault.CUT)
    with connected(proxy) as client:
        assert asked(client) == ANSWER[:6]
        try:
            assert client.recv(1024) == b""
        except ConnectionError:
            pass


def test_a_black_hole_says_nothing_and_what_it_has_swallowed_is_reset_in_the_end(proxy: TcpProxy):
    proxy.make(Fault.BLACK_HOLE)
    with connected(proxy) as client:
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            asked(client)
        proxy.make(Fault.PASS)
        client.settimeout(600)
        with pytest.raises(ConnectionError):
            if not client.recv(1024):
                raise ConnectionError


def test_a_delayed_answer_is_not_there_at_once_and_comes(proxy: TcpProxy):
    proxy.make(Fault.DELAY)
    with connected(proxy) as client:
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            asked(client)
        client.settimeout(600)
        assert client.recv(1024) == ANSWER
