"""One node for every live test: it takes as long to start as some twenty of them to run."""

from collections.abc import Iterator

import pytest
from live_node import JOE, KEY, KIM, MIA, LiveNode, domain, live_node


@pytest.fixture(scope="session")
def node() -> Iterator[LiveNode]:
    with live_node() as running:
        running.start()
        assert running.ready(), running.log() + running.log("agent")
        for name in ("acme.example", "globex.example"):
            running.put("domain", name, domain(name))
        for address in (MIA, JOE, KIM):
            running.put_mailbox(address)
        running.put_key("acme.example", "s1", KEY)
        yield running
