"""The fake answers as the real one does."""

from postroom.resolve.answer import Answer, NotRead, Resolver, Server
from postroom.resolve.fake import FakeResolver


def test_the_fake_answers_from_its_table() -> None:
    world: Resolver = FakeResolver(
        TXT={"acme.example": "v=spf1 -all", "_dmarc.acme.example": ['"v=DMARC1; " "p=none"', "x"]},
        MX={"acme.example": ["20 B.example", "10 a.example"]},
        CNAME={"www.acme.example": "acme.example"},
        delegations={"acme.example": ["ns2.x.example", "ns1.x.example"]},
        silent=["globex.example", "ns2.x.example"],
    )
    mx, www, none, silent = (
        world.look_up(name, "MX") for name in ("ACME.example", "www.acme.example", "x.y", "globex.example")
    )
    assert isinstance(mx, Answer)
    assert mx.values == ("10 a.example.", "20 b.example.")
    assert isinstance(www, Answer)
    assert (www.values, www.alias) == ((), "acme.example.")
    assert isinstance(none, Answer)
    assert none.rcode == "NXDOMAIN"
    assert isinstance(silent, NotRead)
    servers = world.authoritative("acme.example")
    assert servers == (Server("ns1.x.example.", "192.0.2.53"), Server("ns2.x.example.", "192.0.2.53"))
    assert isinstance(world.ask(servers[1], "acme.example", "MX"), NotRead)
    assert isinstance(world.delegation("globex.example"), NotRead)
    assert world.delegation("initech.example") == ()
