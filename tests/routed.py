"""Sixty ways by which mail leaves three clients, of every mechanism, by kinds and as nodes see; and what is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cast import House, agreed, do, do_all, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Domain, Forward, LastHit, LeftRead, Mailbox, Node, SieveRead, SieveScript

CLIENTS = ("acme", "globex", "initech")
BOXES = ("box1", "box2", "box3", "box4", "pal1", "pal2", "off", "sift", "note", "inner", "ring", "quiet", "gone")
Planted = tuple[str, str, str, str]  # mechanism, address, by way of, target


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def script(address: str, *redirects: dict[str, Any], name: str = "main", node: str = "mx1", **more: Any) -> None:
    """A script of a mailbox as its node read it just now. redirects: each over one that goes to nobody known."""
    box = the(Mailbox, address__address=address)
    with acting_as(SYSTEM):
        domain = Mailbox.objects.values_list("address__domain_id", flat=True).get(pk=box.pk)
        plain = {"to": "", "copy": False, "conditional": False, "by": "redirect"}
        said = {"active": True, "at": timezone.now(), "first": timezone.now(), **more}
        SieveScript.objects.create(
            client_id=box.client_id, domain_id=domain, mailbox_id=box.pk, node=Node.objects.get(name=node), name=name,
            redirects=[{**plain, **one} for one in redirects], **said,
        )  # fmt: skip


def looked(*nodes: str, at: datetime | None = None) -> None:
    """These nodes have looked at the scripts of all their mailboxes, by now a second ahead of whatever is made next."""
    with acting_as(SYSTEM):
        for node in nodes or ("mx1", "mx2"):
            about = {"mailboxes": 0, "at": at or timezone.now()}
            SieveRead.objects.update_or_create(node=Node.objects.get(name=node), defaults=about)


def left(source: str, target: str, at: datetime) -> None:
    """Mail to the source left to the target, as its node told."""
    with acting_as(SYSTEM):
        domain = Domain.objects.get(name=source.rpartition("@")[2])
        about = {"client_id": domain.client_id, "domain_id": domain.pk, "at": at}
        LastHit.objects.update_or_create(source=source, target=target, defaults=about)


def logs_read(*nodes: str, since: datetime, at: datetime | None = None) -> None:
    """These nodes have read all that their logs say of what left, by now a second ahead of whatever is made next."""
    with acting_as(SYSTEM):
        for node in nodes or ("mx1", "mx2"):
            about = {"since": since, "at": at or timezone.now() + timedelta(seconds=1)}
            LeftRead.objects.update_or_create(node=Node.objects.get(name=node), defaults=about)


def portfolio(house: House) -> set[Planted]:
    """All sixty, twenty a client."""
    do("clients.create", house.oskar, name="Initech")
    for slug in CLIENTS:
        if slug == "initech":
            _domain(house, slug, "initech.example")
        _domain(house, slug, f"{slug}-small.example")
        _domain(house, slug, f"{slug}-also.example")
    return {one for slug in CLIENTS for one in _of_one(house, slug)}


def _domain(house: House, client: str, name: str) -> None:
    do("domains.add", house.oskar, client=client, name=name)
    do("domains.prove", SYSTEM, domain=name, proof="a test")


def _of_one(house: House, slug: str) -> list[Planted]:
    d, small, also = f"{slug}.example", f"{slug}-small.example", f"{slug}-also.example"
    allow(house, slug, "*.partner.test")
    do_all("mailboxes.create", house.olive, [{"address": f"{one}@{d}"} for one in BOXES])
    away = [(f"{one}@{d}", f"{one}@gmail.com") for one in ("box1", "box2", "box3", "box4", "off")]
    away.append((f"only@{small}", f"only@{slug}.test"))
    away += [(f"gone@{d}", "gone@gmail.com"), (f"quiet@{d}", "quiet@gmail.com")]
    asked = [{"address": a, "to": to, "until": later(), "owner": "Mia"} for a, to in away]
    with_consent(house, do_all("forwards.create", house.olive, asked))
    allowed = [(f"{one}@{d}", f"{one}@mail.partner.test") for one in ("pal1", "pal2")]
    agreed(
        house, do_all("forwards.create", house.olive, [{"address": a, "to": to, "until": later()} for a, to in allowed])
    )
    inner = {"address": f"inner@{d}", "to": f"box2@{d}", "until": later(), "keep_copy": False}
    agreed(house, do("forwards.create", house.olive, **inner))
    for name, targets in (("team", ["box1"]), ("all", ["team"]), ("both", ["box2", "box3"])):
        asked = {"address": f"{name}@{d}", "targets": [f"{one}@{d}" for one in targets]}
        with_consent(house, do("aliases.create", house.olive, **asked))
    with_consent(house, do("catch_alls.set", house.olive, domain=d, target=f"box4@{d}", until=later()))
    with_consent(house, do("domains.set_alias", house.olive, domain=also, of=small))
    _disabled(house, f"off@{d}")
    with_consent(house, do("exceptions.create", house.olive, address=f"sift@{d}", target="sift@web.de", owner="Mia",
                           until=later()))  # fmt: skip
    _scripts(slug)
    _none(house, slug)
    return [
        *(("forward", a, "", to) for a, to in away[:6]), *(("forward", a, "", to) for a, to in allowed),
        ("sieve redirect", f"sift@{d}", "", "sift@web.de"), ("sieve redirect", f"sift@{d}", "", "else@other.test"),
        ("sieve redirect", f"sift@{d}", "", ""), ("sieve notify", f"note@{d}", "", "note@sms.test"),
        ("catch-all", f"@{d}", f"box4@{d}", "box4@gmail.com"), ("alias", f"team@{d}", f"box1@{d}", "box1@gmail.com"),
        ("alias", f"all@{d}", f"team@{d}", "box1@gmail.com"), ("alias", f"both@{d}", f"box2@{d}", "box2@gmail.com"),
        ("alias", f"both@{d}", f"box3@{d}", "box3@gmail.com"), ("forward", f"inner@{d}", f"box2@{d}", "box2@gmail.com"),
        ("sieve redirect", f"ring@{d}", f"box3@{d}", "box3@gmail.com"),
        ("domain alias", f"only@{also}", f"only@{small}", f"only@{slug}.test"),
    ]  # fmt: skip


def allow(house: House, client: str, *patterns: str) -> None:
    """Mail of this client may go there without an exception; more than before, so a second person agreed."""
    agreed(house, do("clients.change", house.olive, client=client, forward_allowed=list(patterns)))


def _disabled(house: House, address: str) -> None:
    assert do("forwards.disable", house.olive, forward=str(the(Forward, address__address=address).pk)).version


def _scripts(slug: str) -> None:
    d = f"{slug}.example"
    node = "mx2" if slug == "globex" else "mx1"
    away = ({"to": "sift@web.de", "copy": True, "conditional": True}, {"to": "else@other.test"}, {"to": ""})
    script(f"sift@{d}", *away, node=node)
    script(f"note@{d}", {"to": "note@sms.test", "by": "notify"}, node=node)
    script(f"ring@{d}", {"to": f"box3@{d}", "conditional": True}, node=node)


def _none(house: House, slug: str) -> None:
    """What looks like a way out and is none."""
    d = f"{slug}.example"
    quiet = the(Forward, address__address=f"quiet@{d}")
    do("forwards.end", house.olive, forward=str(quiet.pk))
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=f"gone@{d}"))
    with acting_as(SYSTEM):
        left = Forward.objects.filter(address__address=f"gone@{d}", removed_at=None).first()
    if left:
        do("forwards.end", house.olive, forward=str(left.pk))
    agreed(house, do("forwards.create", house.olive, address=f"still@{d}", to=f"box2@{d}", until=later()))
    _disabled(house, f"still@{d}")
    do("aliases.create", house.olive, address=f"home@{d}", targets=[f"quiet@{d}"])
    do("aliases.create", house.olive, address=f"stopped@{d}", targets=[f"off@{d}"])
    script(f"pal1@{d}", {"to": "draft@gmail.com"}, name="a draft", active=False)
    script(f"quiet@{d}", {"to": f"pal1@{slug}-small.example"})
    script(f"gone@{d}", {"to": "gone@elsewhere.test"})
