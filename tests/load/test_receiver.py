"""The receiver, as the process that the bench runs: it believes only what is signed twice and framed rightly."""

import hmac
import socket
import time
from collections.abc import Iterator

import pytest

from tests.load.behaviours import Behaviour
from tests.load.receiver_control import ReceiverControl
from tests.load.receiver_process import running_receiver
from tests.load.signatures import sign_standard, standard_key

pytestmark = pytest.mark.slow
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverControl]:
    with running_receiver(tmp_path_factory.mktemp("receiver")) as running:
        running.listen()
        yield running


@pytest.fixture
def port(control: ReceiverControl) -> int:
    control.recover()  # idempotent: opens nothing while the ports are open
    control.expect({"/hook": _SECRET})
    control.expect({"/fail": _SECRET}, Behaviour(kind="fail"))
    control.expect({"/later": _SECRET}, Behaviour(kind="throttled", retry_after_seconds=7))
    control.expect({"/dead": _SECRET}, Behaviour(kind="dead"))
    control.expect({"/drip": _SECRET}, Behaviour(kind="drip", drip_seconds=0.01))
    control.expect({"/once": _SECRET}, Behaviour(closes=True))
    return control.ports[0]


def _request(
    path: str, webhook_id: bytes = b"evt_1", *, native: bytes | None = None, number: int = 5
) -> bytes:
    body = (
        b'{"event":"message.received","data":{"id":"msg_1","text":"load:r:%d:xx"},'
        b'"timestamp":1710000000000,"delivery_id":"dlv_1"}' % number
    )
    hexadecimal = hmac.digest(_SECRET.encode(), b"1710000000000." + body, "sha256").hex().encode()
    signature = sign_standard(standard_key(_SECRET), webhook_id, b"1710000000", body)
    return (
        b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nWebhook-Id: %b\r\nwebhook-timestamp: 1710000000\r\n"
        b"webhook-signature: %b\r\nX-Webhook-Timestamp: 1710000000000\r\nX-Webhook-Delivery-Id: dlv_1\r\n"
        b"X-Webhook-Signature: %b\r\n\r\n%b"
        % (path.encode(), len(body), webhook_id, signature, native or hexadecimal, body)
    )


def _ask(port: int, data: bytes, *, wait_seconds: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=wait_seconds) as connection:
        connection.sendall(data)
        return connection.recv(4096)


def test_signed_requests_count_and_are_answered(control: ReceiverControl, port: int) -> None:
    """Also two in one packet, and one cut anywhere."""
    before_ns = time.monotonic_ns()
    whole = _request("/hook", b"evt_1", number=8)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_request("/hook", b"evt_2") + whole[:100])
        connection.sendall(whole[100:])
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < 2:
            answers += connection.recv(4096)

    arrivals = control.arrivals()["/hook"]

    assert [number for number, _ in arrivals] == [5, 8]
    assert all(before_ns < at_ns < time.monotonic_ns() for _, at_ns in arrivals)
    assert control.totals().by_path["/hook"].succeeded == 2


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/fail", b"HTTP/1.1 500"),
        ("/later", b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: 7"),
        ("/once", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close"),
        ("/drip", b"H"),
    ],
)
def test_paths_behave_as_told(control: ReceiverControl, port: int, path: str, line: bytes) -> None:
    """Every kind of receiver that the shows need."""
    answer = _ask(port, _request(path))

    assert answer.startswith(line)
    assert control.totals().by_path[path].unique == 1


def test_a_dead_path_reads_and_never_answers(control: ReceiverControl, port: int) -> None:
    """What the sender's deadline is for."""
    with pytest.raises(TimeoutError):
        _ask(port, _request("/dead"), wait_seconds=0.2)

    assert control.totals().by_path["/dead"].unique == 1


def test_what_is_not_signed_twice_is_counted_as_invalid(control: ReceiverControl, port: int) -> None:
    """A hub that signs wrongly must not look fast."""
    answer = _ask(port, _request("/hook", native=b"0" * 64))

    assert answer.startswith(b"HTTP/1.1 400")
    assert control.totals().by_path["/hook"].invalid == 1
    assert control.totals().by_path["/hook"].unique == 0


@pytest.mark.parametrize("data", [b"GET /hook HTTP/1.1\r\nContent-Length: 0\r\n\r\n", _request("/nobody")])
def test_what_is_for_nobody_is_counted_as_stray(control: ReceiverControl, port: int, data: bytes) -> None:
    """So that no request disappears from the sums."""
    before = control.totals().stray

    assert _ask(port, data).startswith(b"HTTP/1.1 400")
    assert control.totals().stray == before + 1


def test_an_outage_refuses_connections_until_it_is_over(control: ReceiverControl, port: int) -> None:
    """Open ones break, new ones are refused, and the ports come back as they were."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(5)
        connection.sendall(_request("/hook"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        control.fall()
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    control.recover()

    assert _ask(port, _request("/hook")).startswith(b"HTTP/1.1 200")
