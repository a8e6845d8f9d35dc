"""The stand-in parent packet by packet, the registrar's list, and the proof of a domain."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.dns import delegations
from postroom.dns.parent import Parent
from postroom.dns.proof import below, names_between, proof
from postroom.dns.registrar import wanted
from postroom.resolve.fake import FakeResolver

HOSTS = {dns.name.from_text("ns1.postroom.example"): "127.64.0.1"}
PARENT = Parent(
    tuple(map(dns.name.from_text, ("example.", "test."))),
    HOSTS,
    lambda: {
        "acme.example.": ("ns1.postroom.example.", "ns.else.test."),
        "big.test.": tuple(map("ns{}.x.test.".format, range(60))),
    },
)


def asked(name: str, type: str = "A", **options: object) -> dns.message.Message:
    query = dns.message.make_query(name, type, **options)  # type: ignore[arg-type]
    wire = PARENT.answer(query.to_wire(), 512)
    assert wire is not None
    reply = dns.message.from_wire(wire)
    assert query.is_response(reply)
    return reply


@pytest.mark.parametrize(
    "name, type, rcode, aa, answers",
    [
        ("ns1.postroom.example", "A", "NOERROR", True, 1),
        ("NS1.Postroom.Example", "A", "NOERROR", True, 1),
        ("ns1.postroom.example", "AAAA", "NOERROR", True, 0),
        ("postroom.example", "MX", "NOERROR", True, 0),
        ("example", "SOA", "NOERROR", True, 1),
        ("test", "NS", "NOERROR", True, 1),
        ("globex.example", "NS", "NXDOMAIN", True, 0),
        ("notacme.example", "NS", "NXDOMAIN", True, 0),
        ("acme.example", "NS", "NOERROR", False, 0),
        ("www.acme.example", "A", "NOERROR", False, 0),
        ("acme.example", "DS", "NOERROR", True, 0),
        ("com", "NS", "REFUSED", False, 0),
        (".", "NS", "REFUSED", False, 0),
    ],
)
def test_what_the_parent_says(name: str, type: str, rcode: str, aa: bool, answers: int) -> None:
    reply = asked(name, type)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert bool(reply.flags & dns.flags.AA) is aa
    assert len(reply.answer) == answers


def test_a_referral_names_the_servers_and_their_glue() -> None:
    reply = asked("mail.acme.example", "MX")
    assert [rrset.to_text().split(" ")[0] for rrset in reply.authority] == ["acme.example."]
    assert {rdata.to_text() for rdata in reply.authority[0]} == {"ns1.postroom.example.", "ns.else.test."}
    assert [rrset.name for rrset in reply.additional] == list(HOSTS)


def test_what_does_not_fit_is_cut() -> None:
    assert asked("big.test", "NS").flags & dns.flags.TC
    wire = PARENT.answer(dns.message.make_query("big.test", "NS").to_wire(), 65535)
    assert wire is not None
    assert not dns.message.from_wire(wire).flags & dns.flags.TC


def test_odd_packets() -> None:
    query = dns.message.make_query("acme.example", "A")
    query.set_opcode(dns.opcode.UPDATE)
    update = PARENT.answer(query.to_wire(), 512)
    assert update is None or dns.message.from_wire(update).rcode() != dns.rcode.NOERROR
    answer = dns.message.make_response(dns.message.make_query("acme.example", "A"))
    assert PARENT.answer(answer.to_wire(), 512) is None
    assert asked("version.example", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED


@given(st.binary(max_size=200))
def test_no_packet_breaks_the_parent(wire: bytes) -> None:
    PARENT.answer(wire, 512)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="postroom-dns-"))
    yield made
    shutil.rmtree(made)


def test_the_list_passes_from_one_to_the_other(folder: Path) -> None:
    watched = delegations.Watched(folder)
    assert watched.now() == {}
    for list in ({"acme.example.": ("ns1.x.example.",)}, {}):
        delegations.write(folder, list)
        assert watched.now() == list == delegations.read(folder)
    assert json.loads((folder / delegations.FILE).read_text()) == {}
    assert [file.name for file in folder.iterdir()] == [delegations.FILE]


def test_the_registrar_does_as_the_files_say(folder: Path) -> None:
    zones, names = ["acme.example.", "globex.example."], ("ns1.x.example", "ns2.x.example")
    both = ("ns1.x.example.", "ns2.x.example.")
    assert wanted(folder, zones, names) == dict.fromkeys(zones, both)
    assert wanted(folder, ["www.acme.example.", *zones], names) == dict.fromkeys(zones, both)
    (folder / "not-delegated").write_text("# kept\n\n ACME.example \n")
    (folder / "elsewhere").write_text("initech.example ns.old.example\nbroken.example\n")
    assert wanted(folder, zones, names) == {"globex.example.": both, "initech.example.": ("ns.old.example.",)}


OURS, TOKEN = ["ns1.postroom.example", "NS2.postroom.example."], "_postroom.acme.example"
HELD = {TOKEN: ["x", "postroom-proof=t0ken"]}
ELSEWHERE = {"acme.example": ["ns.old.example"]}


@pytest.mark.parametrize(
    "world, sort",
    [
        (FakeResolver(delegations={"acme.example": OURS}), "delegation"),
        (FakeResolver(delegations={"acme.example": OURS[:1]}), "delegation"),
        (FakeResolver(delegations={"acme.example": [*OURS, "ns.old.example"]}), None),
        (FakeResolver(delegations={"acme.example": [*OURS, "ns.old.example"]}, TXT=HELD), "token"),
        (FakeResolver(delegations=ELSEWHERE, TXT=HELD), "token"),
        (FakeResolver(delegations=ELSEWHERE, TXT={TOKEN: '"postroom-" "proof=t0ken"'}), "token"),
        (FakeResolver(delegations=ELSEWHERE, TXT={TOKEN: "postroom-proof=T0KEN"}), None),
        (FakeResolver(delegations=ELSEWHERE, TXT={TOKEN: "postroom-proof=t0ken2"}), None),
        (FakeResolver(delegations=ELSEWHERE, CNAME={TOKEN: "x.example"}), None),
        (FakeResolver(delegations=ELSEWHERE, TXT=HELD, silent=["ns.old.example"]), None),
        (FakeResolver(delegations=ELSEWHERE, TXT=HELD, silent=["acme.example"]), None),
        (FakeResolver(TXT=HELD), None),
        # A token in a zone of our own servers proves nothing: its parent did not delegate it, or to others as well.
        (FakeResolver(present={"acme.example": OURS}, TXT=HELD), None),
        (FakeResolver(present={"acme.example": ["ns.old.example"]}, TXT=HELD), "token"),
        (FakeResolver(), None),
    ],
)
def test_what_proves_a_domain(world: FakeResolver, sort: str | None) -> None:
    assert proof(world, "Acme.example", "t0ken", OURS).sort == sort


def test_what_was_not_read_is_said_so() -> None:
    found = proof(FakeResolver(silent=["acme.example"]), "acme.example", "t0ken", OURS)
    assert [one.agrees for one in found.evidence] == [None, None]
    assert all("not read" in one.answer for one in found.evidence)


CHILD, ACME = "Sub.acme.example", {"acme.example": OURS}


@pytest.mark.parametrize(
    "world, domain, sort",
    [
        (FakeResolver(delegations=ACME), CHILD, "parent"),
        (FakeResolver(delegations=ACME), "a.b.acme.example", "parent"),
        (FakeResolver(delegations=ACME, present={"sub.acme.example": OURS}), CHILD, "parent"),
        # Its zone is somebody else's, or part of one that is: what the zone above proves ends there.
        (FakeResolver(delegations={**ACME, "sub.acme.example": ["ns.else.example"]}), CHILD, None),
        (FakeResolver(delegations={**ACME, "sub.acme.example": [*OURS, "ns.else.example"]}), CHILD, None),
        (FakeResolver(delegations={**ACME, "b.acme.example": ["ns.else.example"]}), "a.b.acme.example", None),
        # The zone above is not delegated to us, not to us alone, or nobody could be asked.
        (FakeResolver(present=ACME), CHILD, None),
        (FakeResolver(delegations={"acme.example": ["ns.old.example"]}), CHILD, None),
        (FakeResolver(delegations={"acme.example": [*OURS, "ns.old.example"]}), CHILD, None),
        (FakeResolver(delegations=ACME, silent=["acme.example"]), CHILD, None),
        (FakeResolver(delegations=ACME, silent=["sub.acme.example"]), CHILD, None),
        # And it lies in it, by labels.
        (FakeResolver(delegations=ACME), "acme.example", None),
        (FakeResolver(delegations=ACME), "notacme.example", None),
    ],
)
def test_what_lies_in_a_proven_zone_is_proven_up_to_a_cut(world: FakeResolver, domain: str, sort: str | None) -> None:
    assert below(world, domain, "acme.example", OURS).sort == sort


def test_the_names_at_which_a_zone_could_be_cut() -> None:
    assert names_between("a.b.acme.example", "acme.example") == ("a.b.acme.example.", "b.acme.example.")
    assert names_between("acme.example", "acme.example") == names_between("b.example", "acme.example") == ()
