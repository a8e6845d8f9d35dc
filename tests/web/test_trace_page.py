"""The page that says where mail lands, and the landing of a plan on its page."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from test_object_pages import plain
from visitors import visitor

from cast import MIA, SYSTEM, House, do, the, with_consent
from postroom.access.acting import acting_as
from postroom.models import Delivery, Mailed, Probe, ProbeLanding
from postroom.models.probes import STILL_TO_BE_SENT

LEO, TEAM = "leo@acme.example", "team@acme.example"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def test_the_way_its_ends_and_what_leads_there(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    with_consent(house, do("forwards.create", house.olive, address=LEO, to="leo@gmail.com", until=later(), owner="Leo"))
    page = plain(visitor(house.carl).get("/trace/", {"address": TEAM}))
    for words in (
        f"{TEAM} alias, passes it on to {LEO}", "by Olive", f"{LEO} forward to leo@gmail.com and keeps a copy",
        "Leaves by an exception", "Leo answers for it", "outside leo@gmail.com", "has not said which filters",
    ):  # fmt: skip
        assert words in page, (words, page)
    assert f"{TEAM} by alias" in plain(visitor(house.carl).get("/trace/", {"address": LEO}))


def test_what_lands_at_another_client_is_said_so(house: House) -> None:
    hers = "mia@globex.example"
    asked = {"address": MIA, "to": hers, "until": later(), "owner": "Mia", "keep_copy": False}
    held = do("forwards.create", house.olive, **asked)
    assert f"{hers} of Globex" in plain(visitor(house.ada).get(f"/changes/{held.pk}/"))
    with_consent(house, held)
    assert f"{hers} of Globex" in plain(visitor(house.olive).get("/trace/", {"address": MIA}))
    assert "Globex" not in plain(visitor(house.carl).get("/trace/", {"address": MIA}))


def test_nothing_typed_nonsense_and_what_is_not_theirs(house: House) -> None:
    browser = visitor(house.carl)
    assert "Where it lands" not in plain(browser.get("/trace/"))
    for typed, code, words in (
        ("nonsense", 422, "exactly one @"),
        ("mia@globex.example", 200, "no address mia@globex.example at a domain that you can see"),
    ):
        answer = browser.get("/trace/", {"address": typed})
        assert answer.status_code == code and words in plain(answer)
    assert "nowhere" in plain(browser.get("/trace/", {"address": "nobody@acme.example"}))


def test_a_mailbox_leads_to_its_trace(house: House) -> None:
    assert f"/trace/?address={MIA}" in visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()


def test_a_plan_shows_where_mail_would_land(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    plan = plain(visitor(house.olive).post("/do/aliases.change/", {"alias": TEAM, "targets-0": MIA, "why": "x"}))
    lands = plan.partition("Where mail lands")[2]
    assert lands.index(TEAM) < lands.index(LEO) < lands.index(MIA)
    held = do("mailboxes.remove", house.olive, mailbox=LEO)
    page = plain(visitor(house.ada).get(f"/changes/{held.pk}/"))
    assert "Where mail lands" in page and "would land nowhere" in page


def turned_down(probe: Probe) -> None:
    """As the worker leaves one that was too many."""
    evidence = [{"question": STILL_TO_BE_SENT, "answer": "no: too many within the hour"}]
    with acting_as(SYSTEM):
        assert Delivery.objects.filter(object=probe.pk).update(done=True, evidence=evidence)


def test_what_a_probe_found_and_the_button_for_another(house: House) -> None:
    do("aliases.create", house.olive, address=TEAM, targets=[MIA])
    prove = f"/do/probes.send/?address={TEAM}"
    page = visitor(house.carl).get("/trace/", {"address": TEAM})
    assert "No probe was sent there" in plain(page) and prove in page.content.decode()
    assert prove not in visitor(house.audrey).get("/trace/", {"address": TEAM}).content.decode()
    change = do("probes.send", house.carl, address=TEAM)
    assert "not sent yet" in plain(visitor(house.carl).get("/trace/", {"address": TEAM}))
    probe, now = the(Probe), timezone.now()
    turned_down(probe)
    said = plain(visitor(house.carl).get("/trace/", {"address": TEAM}))
    assert "not sent" in said and "too many within the hour" in said and "not sent yet" not in said
    about = {"probe": probe, "client_id": probe.client_id, "domain_id": probe.domain_id, "at": now}
    with acting_as(SYSTEM):
        Mailed.objects.create(object=probe.pk, contact=TEAM, token="a", state="queued", at=now)
        for sort, address, more in (
            ("mailbox", MIA, {"predicted": True, "seen_at": now, "folder": "Lists"}),
            ("outside", "spy@evil.example", {"seen_at": now, "said": "250 <b>ok</b>"}),
            ("mailbox", LEO, {"predicted": True}),
        ):
            ProbeLanding.objects.create(sort=sort, address=address, **more, **about)
    page = visitor(house.carl).get("/trace/", {"address": TEAM})
    for words in (
        "not as computed", f"{MIA} arrived in Lists", f"{LEO} not arrived yet",
        "spy@evil.example left to outside; the next server took it not computed",
        "its mail node was not heard of just now",
    ):  # fmt: skip
        assert words in plain(page), (words, plain(page))
    assert f"/changes/{change.pk}/" in page.content.decode() and "250 &lt;b&gt;ok" in page.content.decode()
