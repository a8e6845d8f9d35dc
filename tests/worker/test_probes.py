"""Probes: asked for, sent, told by nodes, and shown as computed or not; never an address of another client."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.types.json import Jsonb

from api.conftest import Caller
from cast import MIA, House, again, at, do, do_all, person, reasons, the, with_consent
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.changes.errors import NotThere, Problems
from postroom.models import Change, Mailbox, Mailed, Probe, ProbeLanding, SieveRead, SieveScript
from postroom.models import Node as Server
from postroom.queries.probing import LATE, probed
from postroom.worker import watch
from submission import Post
from worker.test_mailed import mailed

LEO, TEAM, HOME, SPY = "leo@acme.example", "team@acme.example", "mia@gmail.com", "spy@evil.example"
THEIRS, BEHIND = "mia@globex.example", "boss@secret.example"
Shown = dict[str, Any]


@pytest.fixture
def mx1(node: Callable[[str], Node], house: House) -> Node:
    """The node of both clients, there, and its scripts read; team@ leads to Leo and Mia, who forwards outside."""
    one = node("mx1")
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO, MIA])
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=HOME, until=until, owner="Mia"))
    acknowledge(one)
    one.execute("SELECT node_report('heartbeat', '[{\"load\": 1}]')")
    with acting_as(SYSTEM):
        for server in Server.objects.all():
            SieveRead.objects.update_or_create(node=server, defaults={"at": timezone.now(), "mailboxes": 2})
    return one


def sent(house: House, address: str = TEAM) -> Change:
    change = do("probes.send", house.olive, address=address)
    assert change.version, reasons(change)
    mailed(change)
    return change


def told(node: Node, post: Post, *ends: tuple[str, str], **more: str) -> None:
    """The node saw these, in this order."""
    rows = [{"number": n, "at": time.time(), "token": post.token, "what": what, "address": address, "folder": "",
             "status": "", "said": "", **({"folder": "INBOX"} if what == "mailbox" else {}), **more}
            for n, (what, address) in enumerate(ends)]  # fmt: skip
    node.execute("SELECT node_report('probes', %s)", [Jsonb(rows)])


def shown(house: House, address: str = TEAM, *, by: Any = None, late: bool = False) -> Shown:
    now = timezone.now() + (LATE + timedelta(seconds=9) if late else timedelta())
    with acting_as(by or house.olive):
        found = probed(by or house.olive, address, now=now)["probe"]
    assert found is not None
    return found


def states(found: Shown) -> dict[str, str]:
    return {f"{one['sort']} {one['address']}": one["state"] for one in found["landings"]}


# Asked for, and sent


def test_the_message_says_what_it_is_and_nobody_answers_it(house: House, mx1: Node, post: Post) -> None:
    change = sent(house)
    (to, sender, letter), = post.letters  # fmt: skip
    text = letter.get_content()
    assert to == TEAM and TEAM in text and "ask Northlight" in text and "nothing to do" in text
    assert letter["Message-ID"] == f"<probe.{post.token}@{sender.rpartition('@')[2]}>" and post.token not in text
    assert again(change).stage == "applied" and shown(house)["change"] == str(change.pk)
    with acting_as(SYSTEM):
        assert Mailed.objects.get(object=the(Probe).pk).state == "queued"
        assert post.token not in str(list(Mailed.objects.values())) + str(list(ProbeLanding.objects.values()))


def test_few_an_hour_to_one_address_and_a_client(house: House, mx1: Node, post: Post) -> None:
    for _ in range(5):
        sent(house)
    with pytest.raises(Problems, match="within the hour"):
        do("probes.send", house.olive, address=TEAM)
    sent(house, LEO)
    with at(timezone.now() + timedelta(hours=1, minutes=1)):
        assert do("probes.send", house.olive, address=TEAM).version


def test_many_at_once_are_few_too(house: House, mx1: Node, post: Post) -> None:
    """And those that were too many say so: they are not about to be sent."""
    change = do_all("probes.send", house.olive, [{"address": TEAM}] * 9)
    assert (shown(house)["verdict"], shown(house)["not_sent"]) == ("not sent yet", "")
    mailed(change)
    assert len(post.letters) == 5
    found = shown(house)
    assert (found["verdict"], found["not_sent"]) == ("not sent", "too many within the hour")
    assert not found["sent"] and not found["taken"] and not found["landings"]


def test_what_was_sent_and_is_forgotten_is_not_known(house: House, mx1: Node, post: Post) -> None:
    sent(house)
    with acting_as(SYSTEM):
        Mailed.objects.all().delete()
        ProbeLanding.objects.all().delete()
    assert (shown(house)["verdict"], shown(house)["not_sent"]) == ("not known", "")


@pytest.mark.parametrize("who", ["olive", "carl"])
def test_never_where_they_do_not_see(house: House, who: str) -> None:
    theirs = THEIRS if who == "carl" else "x@nowhere.example"
    for address in (theirs, theirs.replace("mia", "nobody")):
        with pytest.raises(Problems, match="at a domain that you can see"):
            do("probes.send", getattr(house, who), address=address)


def test_who_may_not_may_not(house: House, mx1: Node) -> None:
    refused = do("probes.send", house.audrey, address=TEAM)
    assert refused.stage == "refused" and "probes.send" in reasons(refused)


# Told, and shown


def test_where_it_was_computed_to_arrive(house: House, mx1: Node, post: Post) -> None:
    sent(house)
    wanted = {f"mailbox {LEO}", f"mailbox {MIA}", f"outside {HOME}"}
    assert set(states(shown(house))) == wanted and set(states(shown(house)).values()) == {"not arrived yet"}
    assert shown(house)["verdict"] == "waits"
    told(mx1, post, ("mailbox", LEO), ("mailbox", MIA))
    assert shown(house)["verdict"] == "waits" and states(shown(house))[f"outside {HOME}"] == "not arrived yet"
    told(mx1, post, ("waiting", HOME), said="450 later")
    assert states(shown(house))[f"waiting {HOME}"] == "put off" and shown(house)["verdict"] == "waits"
    told(mx1, post, ("outside", HOME), status="2.0.0", said="250 2.0.0 kept as 7")
    found = shown(house)
    assert found["verdict"] == "as computed" and set(states(found)) == wanted
    told(mx1, post, ("mailbox", LEO), ("waiting", HOME))  # read once more
    assert states(shown(house)) == states(found)
    leo, _, home = found["landings"]
    assert (leo["folder"], home["said"], home["status"]) == ("INBOX", "250 2.0.0 kept as 7", "2.0.0")


def test_what_did_not_come_is_said_after_a_while_and_is_not_known_without_the_node(
    house: House, mx1: Node, post: Post
) -> None:
    sent(house)
    told(mx1, post, ("mailbox", LEO), ("outside", HOME))
    mx1.execute("SELECT node_report('heartbeat', '[{\"load\": 1}]')")
    with acting_as(SYSTEM), connection.cursor() as cursor:
        cursor.execute("UPDATE mailed SET at = at - interval '6 minutes'")
    found = shown(house)
    assert states(found)[f"mailbox {MIA}"] == "did not come" and found["verdict"] == "differs"
    late = shown(house, late=True)  # nothing was heard of the node meanwhile
    assert states(late)[f"mailbox {MIA}"] == "not known" and late["verdict"] == "not known" and not late["heard"]


@pytest.mark.parametrize("end", [("outside", SPY), ("mailbox", "olaf@acme.example"), ("refused", LEO),
                                 ("discarded", "olaf@acme.example")])  # fmt: skip
def test_what_was_not_computed_differs_at_once(house: House, mx1: Node, post: Post, end: tuple[str, str]) -> None:
    sent(house)
    told(mx1, post, ("mailbox", LEO), ("mailbox", MIA), ("outside", HOME), end)
    found = shown(house)
    assert found["verdict"] == "differs"
    strange = [one for one in found["landings"] if not one["computed"]]
    assert [one["address"] for one in strange] == [end[1]]


def test_what_a_filter_threw_away_did_not_come(house: House, mx1: Node, post: Post) -> None:
    sent(house)
    told(mx1, post, ("discarded", LEO), ("mailbox", MIA), ("outside", HOME))
    found = shown(house)
    assert states(found)[f"mailbox {LEO}"] == "did not come" and found["verdict"] == "differs"
    told(mx1, post, ("mailbox", LEO))
    assert shown(house)["verdict"] == "as computed"


def test_filters_that_nobody_read_are_never_green(house: House, mx1: Node, post: Post) -> None:
    with acting_as(SYSTEM):
        SieveRead.objects.all().delete()
    sent(house)
    told(mx1, post, ("mailbox", LEO), ("mailbox", MIA), ("outside", HOME))
    assert shown(house)["verdict"] == "not known"


def test_a_refusal_by_our_own_submission_is_an_end(house: House, mx1: Node, post: Post) -> None:
    post.outcome = Outcome(why="no", refused="550 5.1.1 <nobody@acme.example>: User unknown")
    change = sent(house, "nobody@acme.example")
    found = shown(house, "nobody@acme.example")
    assert states(found) == {"refused nobody@acme.example": "refused"} and found["verdict"] == "as computed"
    mailed(change)
    assert len(post.letters) == 1  # it is the last word


def test_a_hop_between_two_of_ours_is_no_end_and_a_token_that_nobody_has_is_nothing(
    house: House, mx1: Node, post: Post
) -> None:
    sent(house)
    told(mx1, post, ("outside", LEO))
    rows = Jsonb([{"number": 1, "at": time.time(), "token": "a" * 26, "what": "mailbox", "address": LEO}])
    mx1.execute("SELECT node_report('probes', %s)", [rows])
    assert set(states(shown(house)).values()) == {"not arrived yet"}


def test_of_a_mailbox_only_the_node_that_serves_it_is_believed(
    house: House, mx1: Node, post: Post, node: Callable[[str], Node]
) -> None:
    sent(house)
    told(node("mx2"), post, ("mailbox", LEO), ("discarded", MIA))
    assert set(states(shown(house)).values()) == {"not arrived yet"}


def test_what_another_server_was_handed_arrived_there(house: House, mx1: Node, post: Post) -> None:
    fax = "fax@acme.example"
    asked = {"host": "mx.partner.test", "owner": "Mia", "until": (timezone.now() + timedelta(days=3)).isoformat()}
    with_consent(house, do("transports.create", house.olive, address=fax, **asked))
    sent(house, fax)
    there = "mx.partner.test:25"
    assert states(shown(house, fax)) == {f"outside {there}": "not arrived yet"}
    told(mx1, post, ("waiting", fax), said="450 later")
    assert states(shown(house, fax))[f"waiting {there}"] == "put off" and shown(house, fax)["verdict"] == "waits"
    told(mx1, post, ("outside", fax), status="2.0.0", said="250 kept")
    found = shown(house, fax)
    assert states(found) == {f"outside {there}": "left"} and found["verdict"] == "as computed"
    told(mx1, post, ("outside", LEO))
    assert states(shown(house, fax)) == states(found), "a hop between two of ours is no end all the same"


# What is another client's


def forwarded_to_globex(house: House) -> None:
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    with_consent(house, do("forwards.create", house.olive, address=LEO, to=THEIRS, until=until, owner="Leo"))


@pytest.mark.parametrize(
    "end", [("mailbox", THEIRS), ("mailbox", "kim@globex.example"), ("outside", BEHIND), ("refused", BEHIND),
            ("discarded", THEIRS), ("waiting", THEIRS)]
)  # fmt: skip
def test_what_another_client_makes_of_it_is_not_known(
    house: House, mx1: Node, post: Post, end: tuple[str, str]
) -> None:
    """However it goes on there, it looks the same; and so does a leak, so it is never green."""
    forwarded_to_globex(house)
    sent(house)
    assert states(shown(house, by=house.carl))[f"outside {THEIRS}"] == "not arrived yet"
    for _ in range(2):  # read once more
        told(mx1, post, end, ("mailbox", LEO), ("mailbox", MIA), ("outside", HOME), said="by globex", status="2.0.0")
    for by in (house.carl, house.olive):
        found = shown(house, by=by)
        assert found["verdict"] == "not known"
        (theirs,) = [one for one in found["landings"] if one["address"] == THEIRS]
        assert (theirs["state"], theirs["at"], theirs["computed"]) == ("not known", None, True)
        assert (theirs["folder"], theirs["said"], theirs["status"]) == ("", "", "")
        assert BEHIND not in str(found) and "kim@globex" not in str(found)


def test_a_leak_is_not_hidden_by_another_client_that_mail_comes_to_sometimes(
    house: House, mx1: Node, post: Post
) -> None:
    forwarded_to_globex(house)
    sent(house)
    with acting_as(SYSTEM):
        ProbeLanding.objects.filter(address=THEIRS).update(sometimes=True)
    told(mx1, post, ("outside", SPY), ("mailbox", LEO), ("mailbox", MIA), ("outside", HOME))
    assert shown(house)["verdict"] == "not known"


def test_an_address_of_another_client_that_no_rule_names_has_no_name(house: House, mx1: Node, post: Post) -> None:
    sent(house)
    told(mx1, post, ("mailbox", THEIRS), said="by globex")
    found = shown(house)
    assert "globex" not in str(found) and found["verdict"] == "differs"
    assert [one["address"] for one in found["landings"] if not one["computed"]] == [""]


def test_who_sees_one_domain_is_told_of_the_others_that_they_are_ends(house: House, mx1: Node, post: Post) -> None:
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    do("aliases.create", house.olive, address="all@acme.test", targets=[LEO])
    given = do("people.invite", house.olive, name="Nora", email="nora@acme.test", client="acme")
    assert given.version, reasons(given)
    given = do(
        "grants.give", house.oskar, person="nora@acme.test", role="client admin", client="acme", domain="acme.test"
    )
    assert given.version, reasons(given)
    nora = person("nora@acme.test", SYSTEM)
    assert do("probes.send", nora, address="all@acme.test").version
    with acting_as(SYSTEM):
        mailed(Change.objects.latest("id"))
    told(mx1, post, ("mailbox", LEO))
    found = shown(house, "all@acme.test", by=nora)
    assert LEO not in str(found) and found["verdict"] == "as computed"
    assert [(one["hidden"], one["state"]) for one in found["landings"]] == [(True, "arrived")]
    assert states(shown(house, "all@acme.test")) == {f"mailbox {LEO}": "arrived"}
    for address in (TEAM, THEIRS):
        with pytest.raises(NotThere), acting_as(nora):
            probed(nora, address)


def test_a_client_never_sees_the_probes_of_another(house: House, mx1: Node, post: Post) -> None:
    sent(house, THEIRS)
    with acting_as(house.carl):
        assert not Probe.objects.filter(address=THEIRS).exists()
        assert not ProbeLanding.objects.filter(client__slug="globex").exists()
        with pytest.raises(NotThere):
            probed(house.carl, THEIRS)


# At the API, and kept


def test_asked_for_and_read_at_the_api(house: House, mx1: Node, post: Post) -> None:
    ask = Caller(house.carl)
    assert ask.get(f"/addresses/{TEAM}/probe").json() == {"address": TEAM, "probe": None}
    answer = ask.post(f"/addresses/{TEAM.upper()}/probe", {"why": "a ticket"})
    assert answer.status_code == 200 and answer.json()["kind"] == "probes.send" and answer.json()["why"] == "a ticket"
    assert ask.get(f"/addresses/{TEAM}/probe").json()["probe"]["verdict"] == "not sent yet"
    with acting_as(SYSTEM):
        mailed(Change.objects.latest("id"))
    told(mx1, post, ("mailbox", LEO), ("mailbox", MIA), ("outside", HOME))
    assert ask.get(f"/addresses/{TEAM}/probe").json()["probe"]["verdict"] == "as computed"
    for address in (THEIRS, "nobody@globex.example"):
        assert ask.post(f"/addresses/{address}/probe", {"why": "x"}).status_code in (404, 422)
        assert ask.get(f"/addresses/{address}/probe").status_code == 404
    assert Caller(house.audrey).post(f"/addresses/{TEAM}/probe", {"why": "x"}).status_code == 403
    assert Caller(house.audrey).get(f"/addresses/{TEAM}/probe").status_code == 200
    assert ask.get("/addresses/nonsense/probe").status_code == 422


def test_as_many_queries_however_many_ends(house: House, mx1: Node, post: Post) -> None:
    def asked(address: str) -> int:
        sent(house, address)
        told(mx1, post, *(("mailbox", f"m{n}@acme.example") for n in range(20)))
        with acting_as(house.olive), CaptureQueriesContext(connection) as found:
            probed(house.olive, address)
        return len(found)

    assert asked(LEO) == asked(TEAM) <= 6


def test_what_is_older_than_ninety_days_goes(house: House, mx1: Node, post: Post) -> None:
    sent(house)
    watch.forget()
    assert states(shown(house))
    with acting_as(SYSTEM), connection.cursor() as cursor:
        cursor.execute("UPDATE probe_landings SET at = at - interval '91 days'")
    watch.forget()
    assert states(shown(house)) == {} and shown(house)["verdict"] == "not known"


# Thrown away beside a redirect


def filtered(redirects: list[dict[str, Any]], discards: str) -> None:
    """Leo's filter does so, as his node read it."""
    box = the(Mailbox, address__address=LEO)
    with acting_as(SYSTEM):
        about = {"client_id": box.client_id, "domain_id": Mailbox.objects.get(pk=box.pk).address.domain_id}
        SieveScript.objects.create(
            mailbox_id=box.pk, node=Server.objects.get(name="mx1"), at=timezone.now(), first=timezone.now(),
            name="main", active=True, redirects=redirects, discards=discards, **about,
        )  # fmt: skip


def goes(*, copy: bool = False) -> dict[str, Any]:
    return {"to": MIA, "copy": copy, "conditional": False, "by": "redirect"}


@pytest.mark.parametrize("copy", [False, True])
def test_what_is_passed_on_and_not_kept_is_as_computed(house: House, mx1: Node, post: Post, copy: bool) -> None:
    """Dovecot says that it throws away of a message that the same script passes on, too."""
    filtered([goes(copy=copy)], "always")
    sent(house, LEO)
    assert set(states(shown(house, LEO))) == {f"discarded {LEO}", f"mailbox {MIA}", f"outside {HOME}"}
    told(mx1, post, ("mailbox", MIA), ("outside", HOME))
    assert shown(house, LEO)["verdict"] == "waits"
    told(mx1, post, ("discarded", LEO))
    found = shown(house, LEO)
    assert found["verdict"] == "as computed" and set(states(found).values()) == {"arrived", "left", "thrown away"}


def test_thrown_away_where_it_was_to_be_kept_still_differs(house: House, mx1: Node, post: Post) -> None:
    filtered([goes(copy=True)], "")
    sent(house, LEO)
    told(mx1, post, ("mailbox", MIA), ("outside", HOME), ("discarded", LEO))
    assert shown(house, LEO)["verdict"] == "differs"


def test_kept_where_it_was_to_be_thrown_away_differs(house: House, mx1: Node, post: Post) -> None:
    filtered([], "always")
    sent(house, LEO)
    told(mx1, post, ("discarded", LEO), ("mailbox", LEO))
    found = shown(house, LEO, late=True)
    assert found["verdict"] == "differs"
    assert states(found) == {f"discarded {LEO}": "not known", f"mailbox {LEO}": "arrived"}


def test_what_a_filter_throws_away_sometimes_may_be_either(house: House, mx1: Node, post: Post) -> None:
    filtered([], "sometimes")
    for seen in ("discarded", "mailbox"):
        sent(house, LEO)
        assert set(states(shown(house, LEO)).values()) == {"not arrived yet"}
        told(mx1, post, (seen, LEO))
        mx1.execute("SELECT node_report('heartbeat', '[{\"load\": 1}]')")
        assert shown(house, LEO, late=True)["verdict"] == "as computed", seen
