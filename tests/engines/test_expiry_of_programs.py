"""An app password whose time is over, in mail programs that people use: put out at that second, and not let in again.

The pages let an owner choose a last day; what ends at a second is tried here, at a node. All other ways to end
something are tried over the pages and the API, in tests/stories/test_real_clients.py.
"""

import time

import pytest
from live_node import LiveNode
from test_app_passwords_live import LAPTOP, PHONE, account, app

from real_clients import Credential, Filtering, Held, Reading, Sending, Server, signs_in

pytestmark = pytest.mark.server
ALL, NONE = (dict.fromkeys(("mbsync", "msmtp", "openssl"), let_in) for let_in in (True, False))


def test_it_ends_at_its_second_and_no_other_does(node: LiveNode) -> None:
    ports, name = node.config.ports, "programs@acme.example"
    certificate = node.config.folder / "tls/cert.pem"
    server = Server(node.address, ports.imaps, ports.submissions, ports.managesieve, certificate, "localhost")
    over = int(time.time()) + 12  # six sessions are opened by then
    node.put("address", name, account(name, app(name, PHONE, until=over), app(name, LAPTOP)))
    phone, laptop = Credential(name, PHONE), Credential(name, LAPTOP)
    kinds: tuple[type[Held], ...] = (Reading, Sending, Filtering)
    ending, going_on = [kind(server, phone) for kind in kinds], [kind(server, laptop) for kind in kinds]
    assert all(session.is_open() for session in (*ending, *going_on)) and time.time() < over
    for session in ending:
        assert not session.is_open_after(time.monotonic() + over - time.time(), ending=True), "it is put out"
    assert time.time() < over + 15
    assert signs_in(server, phone) == NONE and signs_in(server, laptop) == ALL
    for session in going_on:
        assert session.is_open()
    for session in (*ending, *going_on):
        session.close()
