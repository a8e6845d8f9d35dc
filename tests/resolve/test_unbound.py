"""A validating unbound over a signed zone in a real NSD: what it proves, what it refuses, and what is none of both."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from name_daemons import NSD_PORT, UNBOUND_PORT, answers, nsd, own_address, running

from postroom.protocols.answers import Held
from postroom.resolve.engine import Engine
from postroom.resolve.unbound import Stub, Unbound, command, prepare, rendered
from postroom.resolve.upstream import Upstream

SOA = "$TTL 300\n@ SOA ns post 1 7200 3600 1209600 300\n@ NS ns\nns A 192.0.2.1\n"
RECORDS = (
    SOA
    + "@ MX 10 mail\nmail A 192.0.2.2\nwww CNAME mail\n"
    + "".join(f'big TXT "{n:03d}{"x" * 200}"\n' for n in range(50))
)
KEYS = ec.generate_private_key(ec.SECP256R1())


def signed(name: str, text: str) -> tuple[str, str]:
    """The zone with its signatures, and its DS."""
    zone = dns.zone.from_text(text, f"{name}.", relativize=False)
    key = dns.dnssec.make_dnskey(KEYS.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    dns.dnssec.sign_zone(zone, keys=[(KEYS, key)], lifetime=86400, add_dnskey=True)
    ds = dns.dnssec.make_ds(dns.name.from_text(name), key, "SHA256")
    return zone.to_text(relativize=False), f"{name}. DS {ds.to_text()}"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """good.test is signed, bad.test was changed after it was, plain.test never was."""
    folder = tmp_path_factory.mktemp("dns")
    folder.chmod(0o755)
    good, bad = signed("good.test", RECORDS), signed("bad.test", RECORDS)
    broken = bad[0].replace("192.0.2.2", "192.0.2.66").replace(" 10 mail", " 10 evil")
    assert broken != bad[0]
    zones = [("good.test", good[0] + "\n"), ("bad.test", broken + "\n"), ("plain.test", RECORDS)]
    with own_address() as address, nsd(folder / "nsd", address, zones):
        place = ((address, NSD_PORT),)
        stubs = (Stub("good.test", place, (good[1],)), Stub("bad.test", place, (bad[1],)), Stub("plain.test", place))
        instance = Unbound(folder / "unbound", address, UNBOUND_PORT, stubs)
        prepare(instance)
        with running(command(instance), folder / "unbound.log", lambda: answers(address, UNBOUND_PORT, "localhost.")):
            yield Upstream(address, UNBOUND_PORT, validates=True)


def asked(upstream: Upstream, *questions: tuple[str, str]) -> list[Held]:
    async def run() -> list[Held]:
        async with Engine([upstream]) as engine:
            return list(await asyncio.gather(*(engine.query(name, type) for name, type in questions)))

    return asyncio.run(run())


@pytest.mark.server
def test_what_is_signed_is_proven_also_that_there_is_none(upstream: Upstream) -> None:
    mx, none, gone, alias = asked(
        upstream, ("good.test", "MX"), ("good.test", "CAA"), ("gone.good.test", "A"), ("www.good.test", "A")
    )
    assert mx[:1] + mx[2:] == (((10, "mail.good.test"),), False, (), True, "")
    assert none[:1] + none[2:] == ((), False, (), True, "")
    assert gone[:1] + gone[2:] == ((), True, (), True, "")
    assert alias[:1] + alias[2:] == (("192.0.2.2",), False, ("mail.good.test",), True, "")


@pytest.mark.server
def test_what_its_signature_does_not_fit_is_unknown_and_never_none(upstream: Upstream) -> None:
    assert asked(upstream, ("bad.test", "MX"), ("mail.bad.test", "A")) == [Held(failed="SERVFAIL")] * 2


@pytest.mark.server
def test_what_is_not_signed_is_answered_and_not_proven(upstream: Upstream) -> None:
    mx, big = asked(upstream, ("plain.test", "MX"), ("big.plain.test", "TXT"))
    assert (mx.values, mx.secure) == (((10, "mail.plain.test"),), False)
    assert len(big.values) == 50, "over TCP"


def test_nothing_but_loopback_is_answered_and_nothing_of_the_machine_is_read(tmp_path: Path) -> None:
    instance = Unbound(tmp_path / "u", "127.0.0.9", 5311)
    conf = rendered(instance, as_root=True)
    for line in (
        "access-control: 0.0.0.0/0 refuse", 'module-config: "validator iterator"', "control-enable: no",
        'username: "unbound"', 'trust-anchor-file: "/usr/share/dns/root.key"',
        'root-hints: "/usr/share/dns/root.hints"',
    ):  # fmt: skip
        assert f"    {line}\n" in conf
    assert "domain-insecure" not in conf and "/etc/unbound" not in conf
    with pytest.raises(ValueError, match="not on loopback"):
        Unbound(tmp_path, "192.0.2.1")


def test_unbound_itself_finds_no_fault_in_it(tmp_path: Path) -> None:
    instance = Unbound(
        tmp_path, "127.0.0.9", 5311, (Stub("test", (("127.0.0.8", 53),)), Stub(".", (("127.0.0.8", 53),)))
    )
    prepare(instance)
    subprocess.run(["/usr/sbin/unbound-checkconf", str(instance.conf)], check=True, capture_output=True)
