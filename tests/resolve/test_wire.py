"""A message is read as dnspython reads it, or not at all."""

import random
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from postroom.protocols.answers import Held
from postroom.resolve import wire
from postroom.resolve.names import Malformed, NoName, from_wire, to_wire

NAME = "acme.example"
SOA = "ns1.acme.example. post.acme.example. 7 7200 3600 1209600 300"
RECORDS = {
    "A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1", "::ffff:192.0.2.1"], "NS": ["ns1.acme.example.", "NS2.x."],
    "MX": ["10 mx1.acme.example.", "20 Mx2.other.example.", "0 ."], "TXT": ['"v=spf1"', '"a" "b" ""', '"\\200\\000"'],
    "SPF": ['"v=spf1 ~all"'], "CAA": ['0 issue "ca.example"', '128 iodef ""'], "PTR": ["a\\.b.acme.example."],
    "CNAME": ["other.example."], "SOA": [SOA], "SRV": ["1 2 443 host.acme.example."],
    "DS": ["1 13 2 " + "ab" * 32], "TLSA": ["3 1 1 " + "cd" * 32], "DNSKEY": ["257 3 13 " + "qqqq" * 16],
    "HTTPS": ["1 . alpn=h2"], "TYPE1234": ["\\# 3 010203"],
}  # fmt: skip


def reply(type: str, *answer: str, name: str = NAME, authority: tuple[str, ...] = (), rcode: int = 0,
          flags: int = dns.flags.AA) -> dns.message.Message:  # fmt: skip
    """Lines are `owner ttl type value`."""
    asked = dns.message.make_query(f"{name}.", type, use_edns=0, payload=1232)
    made = dns.message.make_response(asked)
    made.flags |= flags
    made.set_rcode(rcode)  # type: ignore[arg-type]
    for section, lines in ((made.answer, answer), (made.authority, authority)):
        for line in lines:
            owner, ttl, kind, value = line.split(" ", 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, value))
    return made


def read(message: dns.message.Message | bytes, type: str, name: str = NAME) -> Held:
    owner, number, asked = wire.question(name, type)
    octets = message if isinstance(message, bytes) else message.to_wire()
    assert wire.echoes(octets, asked)
    return wire.read(octets, owner, number, asked)


def held(value: dns.rdata.Rdata) -> object:
    """The contract's form, from what dnspython understood."""

    def text(name: dns.name.Name) -> str:
        return name.canonicalize().to_text(omit_final_dot=True).removesuffix(".") if name != dns.name.root else ""

    v: dict[str, object] = {slot: getattr(value, slot) for slot in value.__slots__} if value.__slots__ else {}
    match dns.rdatatype.to_text(value.rdtype):
        case "A" | "AAAA":
            return value.address  # type: ignore[attr-defined]
        case "NS" | "CNAME" | "PTR":
            return text(value.target)  # type: ignore[attr-defined]
        case "MX":
            return v["preference"], text(value.exchange)  # type: ignore[attr-defined]
        case "TXT" | "SPF":
            return b"".join(value.strings).decode("latin-1")  # type: ignore[attr-defined]
        case "CAA":
            return v["flags"], value.tag.decode("latin-1"), value.value.decode("latin-1")  # type: ignore[attr-defined]
        case "SOA":
            five = tuple(v[one] for one in ("serial", "refresh", "retry", "expire", "minimum"))
            return text(value.mname), text(value.rname), *five  # type: ignore[attr-defined]
        case "SRV":
            return v["priority"], v["weight"], v["port"], text(value.target)  # type: ignore[attr-defined]
        case "DS":
            return v["key_tag"], int(v["algorithm"]), v["digest_type"], value.digest.hex()  # type: ignore[attr-defined,call-overload]
        case "TLSA":
            return v["usage"], v["selector"], v["mtype"], value.cert.hex()  # type: ignore[attr-defined]
        case "DNSKEY":
            return int(v["flags"]), v["protocol"], int(v["algorithm"]), value.key.hex()  # type: ignore[attr-defined,call-overload]
    return value.to_wire().hex()


@pytest.mark.parametrize("type", RECORDS)
def test_each_type_is_read_as_the_contract_says(type: str) -> None:
    message = reply(type, *(f"{NAME}. 300 {type} {value}" for value in RECORDS[type]))
    wanted = tuple(sorted(held(one) for rrset in message.answer for one in rrset))  # type: ignore[type-var]
    assert read(message, type) == Held(wanted, 300)


def test_aliases_lead_to_what_they_hold_and_the_least_ttl_counts() -> None:
    lines = ("acme.example. 300 CNAME b.example.", "B.example. 60 CNAME c.example.", 'c.example. 900 TXT "x"')
    assert read(reply("TXT", *lines), "TXT") == Held(("x",), 60, chain=("b.example", "c.example"))
    assert read(reply("TXT", *reversed(lines)), "TXT") == Held(("x",), 60, chain=("b.example", "c.example"))
    assert read(reply("CNAME", lines[0]), "CNAME") == Held(("b.example",), 300)


def test_what_stands_at_another_name_is_not_ours() -> None:
    stray = reply("TXT", 'other.example. 300 TXT "x"', authority=(f"example. 300 SOA {SOA}",))
    assert read(stray, "TXT") == Held((), 300)


@pytest.mark.parametrize("rcode, nowhere", [(0, False), (3, True)])
def test_none_counts_as_long_as_its_soa_says(rcode: int, nowhere: bool) -> None:
    for ttl, counts in ((3600, 300), (20, 20)):
        said = reply("MX", authority=(f"acme.example. {ttl} SOA {SOA}",), rcode=rcode)
        assert read(said, "MX") == Held((), counts, nowhere)
    assert read(reply("MX", rcode=rcode), "MX") == Held((), 0, nowhere), "without a SOA it counts for this once"


def test_none_behind_an_alias_counts_no_longer_than_the_alias() -> None:
    said = reply("MX", "acme.example. 30 CNAME b.example.", authority=(f"example. 900 SOA {SOA}",), rcode=3)
    assert read(said, "MX") == Held((), 30, True, ("b.example",))


@pytest.mark.parametrize("said", [
    reply("MX", authority=("example. 300 NS ns.example.",), flags=0),
    reply("MX", flags=0),
    reply("MX", authority=("example. 300 NS ns.example.",), flags=dns.flags.RA),
    reply("MX", "acme.example. 300 CNAME b.elsewhere."),
])  # fmt: skip
def test_a_lame_answer_is_not_none(said: dns.message.Message) -> None:
    assert read(said, "MX").failed == "it only says where else to ask"


@pytest.mark.parametrize("rcode", [1, 2, 4, 5, 9, 16, 23])
def test_no_answer_is_not_none_also_by_the_upper_part_of_its_code(rcode: int) -> None:
    """BADVERS is 16: without the part that EDNS carries it reads as NOERROR."""
    assert read(reply("MX", "acme.example. 300 MX 10 mx.example.", rcode=rcode), "MX").failed
    assert read(reply("MX", rcode=rcode), "MX").failed


def test_what_was_validated_says_so() -> None:
    assert read(reply("MX", "acme.example. 300 MX 10 mx.example.", flags=dns.flags.AD), "MX").secure
    assert read(reply("MX", authority=(f"acme.example. 9 SOA {SOA}",), flags=dns.flags.AD), "MX").secure
    assert not read(reply("MX", "acme.example. 300 MX 10 mx.example."), "MX").secure


def test_a_ttl_with_its_first_bit_set_is_none() -> None:
    octets = reply("A", "acme.example. 300 A 192.0.2.1").to_wire()
    assert read(octets.replace((300).to_bytes(4, "big"), b"\x80\0\0\1"), "A").ttl == 0


def hand(type: int, *data: bytes, name: bytes = b"\xc0\x0c", after: bytes = b"", count: int | None = None) -> bytes:
    """A response about acme.example whose records are put together by hand."""
    counts = (1, len(data) if count is None else count, 0, 0)
    head = b"\0\7\x84\0" + b"".join(one.to_bytes(2, "big") for one in counts)
    rest = (name + type.to_bytes(2, "big") + b"\0\1\0\0\1\x2c" + len(one).to_bytes(2, "big") + one for one in data)
    return head + to_wire(NAME) + type.to_bytes(2, "big") + b"\0\1" + b"".join(rest) + after


HOSTILE = {
    "a name that points at itself": ("MX", hand(15, b"\0\1\xc0\x2c")),
    "a name that points ahead": ("MX", hand(15, b"\0\1\xc0\x30", after=b"\1a\0")),
    "two names that point at each other": ("MX", hand(15, b"\0\1\xc0\x3c", b"\0\1\xc0\x2c")),
    "an owner that points at itself": ("MX", hand(15, b"\0\1\0", name=b"\xc0\x1e")),
    "a label past the end": ("NS", hand(2, b"\x3fabc")),
    "a label of an unknown type": ("NS", hand(2, b"\x41a\0")),
    "a name past its record": ("NS", hand(2, b"\1a\0\1b\0")),
    "a name longer than 255": ("NS", hand(2, b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\0")),
    "an address of five octets": ("A", hand(1, b"\1\2\3\4\5")),
    "an address of no octets": ("A", hand(1, b"")),
    "a string past its record": ("TXT", hand(16, b"\5ab")),
    "a text without a string": ("TXT", hand(16, b"")),
    "a preference alone": ("MX", hand(15, b"\0")),
    "a tag past its record": ("CAA", hand(257, b"\0\7issue")),
    "a digest without octets": ("DS", hand(43, b"\0\1\x0d\2")),
    "more records counted than there are": ("A", hand(1, b"\1\2\3\4", count=2)),
    "fewer records counted than there are": ("A", hand(1, b"\1\2\3\4", b"\1\2\3\5", count=1)),
    "octets behind the last": ("A", hand(1, b"\1\2\3\4", after=b"\0")),
    "cut within a record": ("A", hand(1, b"\1\2\3\4")[:-2]),
    "cut within the head of one": ("A", hand(1, b"\1\2\3\4")[:-8]),
    "a name that does not exist and holds something": (
        "A", reply("A", "acme.example. 9 A 192.0.2.1", rcode=3).to_wire(),
    ),
    "aliases in a ring": (
        "A", reply("A", "acme.example. 9 CNAME b.example.", "b.example. 9 CNAME acme.example.").to_wire(),
    ),
    "two aliases of one name": (
        "A", reply("A", "acme.example. 9 CNAME b.example.", "acme.example. 9 CNAME c.example.").to_wire(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_is_believed_of_a_broken_message(what: str) -> None:
    type, octets = HOSTILE[what]
    with pytest.raises(Malformed):
        read(octets, type)


def test_another_question_is_no_echo() -> None:
    asked = wire.question(NAME, "MX")[2]
    good = reply("MX", "acme.example. 300 MX 10 mx.example.").to_wire()
    assert wire.echoes(good, asked)
    assert wire.echoes(good[:12] + good[12:].replace(b"acme", b"ACME"), asked)
    for bad in (
        reply("TXT").to_wire(), reply("MX", name="acne.example").to_wire(), good[:4] + b"\0\0" + good[6:],
        good[:4] + b"\0\2" + good[6:], good[:2] + b"\x04" + good[3:], good[:2] + b"\xa4" + good[3:], good[:20], b"",
    ):  # fmt: skip
        assert not wire.echoes(bad, asked)


@pytest.mark.parametrize(
    "name", ["a..b", ".a", "a" * 64 + ".b", ".".join(["a" * 63] * 4), "dömäne.example", "a\\", "\\999"]
)
def test_what_is_no_name_is_not_asked(name: str) -> None:
    with pytest.raises(NoName):
        wire.question(name, "A")


@pytest.mark.parametrize("type", ["ANY", "AXFR", "OPT", "TYPE0", "TYPE65535", "TYPE99999", "NOTHING", "TSIG", ""])
def test_what_is_no_type_of_data_is_not_asked(type: str) -> None:
    with pytest.raises(wire.NoType):
        wire.question(NAME, type)


def test_names_read_as_the_other_library_reads_them() -> None:
    draw = random.Random(6)
    for _ in range(3000):
        labels = [
            bytes(draw.choice(b'aZ9-_.\\"@\0\xff *$;') for _ in range(draw.randint(1, 6)))
            for _ in range(draw.randint(0, 4))
        ]
        theirs = dns.name.Name([*labels, b""])
        ours, end = from_wire(b"\0" * 5 + theirs.to_wire(), 5)
        assert ours == theirs.canonicalize().to_text(omit_final_dot=bool(labels)).removesuffix("" if labels else ".")
        assert to_wire(ours) == theirs.canonicalize().to_wire()
        assert wire.question(ours, "A")[0] == ours
        assert end == 5 + len(theirs.to_wire())


JUDGED = ("DS", "HTTPS", "CAA")  # of these theirs refuses also what is whole and makes no sense


def seeds() -> Iterator[tuple[str, bytes]]:
    for type, values in RECORDS.items():
        yield type, reply(type, *(f"{NAME}. 300 {type} {value}" for value in values)).to_wire()
        if type != "CNAME":
            chain = ("acme.example. 60 CNAME b.example.", *(f"b.example. 300 {type} {value}" for value in values))
            yield type, reply(type, *chain, authority=("example. 60 NS ns.example.",)).to_wire()
        for rcode in (0, 3):
            yield type, reply(type, authority=(f"acme.example. 600 SOA {SOA}",), rcode=rcode, flags=0x20).to_wire()


def mutated(draw: random.Random, octets: bytes, start: int) -> bytes:
    made = bytearray(octets)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        at = draw.randrange(start, len(made)) if draw.random() < 0.9 else draw.randrange(2, 12)
        match draw.randrange(5):
            case 0:
                made[at] ^= 1 << draw.randrange(8)
            case 1:
                made[at] = draw.choice((0, 1, 0x0C, 0x3F, 0x40, 0xC0, 0xFF, draw.randrange(256)))
            case 2:
                made[at : at + 2] = b"\xc0" + bytes((draw.randrange(len(made) % 256),))
            case 3:
                del made[at : at + draw.randint(1, 4)]
            case 4:
                made[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 4)))
        if len(made) <= start + 4:
            return octets
    return bytes(made)


def by_the_other(octets: bytes, type: str) -> Held | None:
    """What dnspython makes of it; None when it finds no message, or none of the records asked for is whole."""
    try:
        message = dns.message.from_wire(octets, continue_on_error=True, one_rr_per_rrset=True, question_only=False)
    except (dns.exception.DNSException, ValueError):
        return None
    if message.rcode() not in (0, 3) or (message.errors and type in JUDGED):
        return Held(failed="its code")
    kind, owner = dns.rdatatype.from_text(type), dns.name.from_text(NAME)
    chain: list[str] = []
    ttls = [0x7FFFFFFF]
    while True:
        here = [one for one in message.answer if one.name == owner and one.rdclass == 1]
        if found := [one for one in here if one.rdtype == kind]:
            values = tuple(sorted({held(one[0]) for one in found}))  # type: ignore[type-var]
            ttl = min(ttls + [one.ttl for one in found])
            why = "a record" if message.errors else ""
            return Held(values, ttl, message.rcode() == 3, tuple(chain), bool(message.flags & dns.flags.AD), why)
        aliases = {one[0].target: one.ttl for one in here if one.rdtype == dns.rdatatype.CNAME}
        if len(aliases) != 1 or len(chain) > 16:
            break
        owner = next(iter(aliases))
        ttls.append(aliases[owner])
        chain.append(owner.canonicalize().to_text(omit_final_dot=True) if owner != dns.name.root else "")
    why = "a record" if message.errors else ""
    return Held((), 0, message.rcode() == 3, tuple(chain), bool(message.flags & dns.flags.AD), why)


def test_no_mutation_is_read_otherwise_than_by_the_other_library() -> None:
    """Where ours answers, theirs found the same; what theirs cannot read, ours refuses."""
    draw, compared, refused = random.Random(2026), 0, 0
    made = list(seeds())
    for turn in range(30_000):
        type, octets = made[turn % len(made)]
        owner, number, asked = wire.question(NAME, type)
        octets = mutated(draw, octets, 12 + len(asked))
        if not wire.echoes(octets, asked):
            continue
        try:
            ours = wire.read(octets, owner, number, asked)
        except Malformed:
            refused += 1
            continue
        theirs = by_the_other(octets, type)
        if theirs and theirs.failed and type in JUDGED:
            continue
        if theirs is None or ours.failed:
            assert ours.failed or not ours.values, (type, octets.hex(), ours)
            continue
        if theirs.failed:  # it stopped at a record that is none of ours, at an owner that is no name
            assert set(theirs.values) <= set(ours.values), (type, octets.hex(), ours, theirs)
            continue
        assert ours[:1] + ours[2:5] == theirs[:1] + theirs[2:5], (type, octets.hex(), ours, theirs)
        assert not ours.values or ours.ttl == theirs.ttl, (type, octets.hex(), ours, theirs)
        compared += 1
    assert compared > 5000 and refused > 5000, (compared, refused)
