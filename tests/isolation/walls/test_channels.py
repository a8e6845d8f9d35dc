"""Ways besides a page: jobs that were waiting, letters, searches, maps, nodes, zones, keys, the past, counters, caches.

Each says which guard holds it, and shows the guard to be what holds: without it the same steps come through.
"""

import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import _lru_cache_wrapper
from typing import Any

import pytest
from city import ALL, SLUGS, City, canary, grant_of
from django.conf import settings
from pydantic import ValidationError

from cast import again, do, kind, reasons, the, tick, waits
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.throttle import Limit, TooMany
from postroom.changes import pipeline, policy, taken
from postroom.changes.approvals import approve
from postroom.changes.carry import Outcome
from postroom.changes.errors import ChangeError, NotAllowed, NotThere
from postroom.changes.pipeline import submit
from postroom.changes.policies import beside
from postroom.models import ApiToken, Change, Delivery, Domain, Mailbox
from postroom.queries import objects
from postroom.queries.found import found
from postroom.queries.take_out import take_out
from postroom.worker import mail

pytestmark = pytest.mark.matrix
Sql = Callable[..., list[tuple[Any, ...]]]
SOON = timedelta(hours=2)


# What waited while its proposer lost the right to it. Guard: access is asked again under the lock (apply).


def revoked_meanwhile(city: City) -> list[Change]:
    """Proposed by people who may no more when it is done: by the clock, by an approval, and by a token that ended."""
    otto, token = city.who["otto"], city.who["wide token"]
    later = waits("mailboxes.suspend", otto, mailbox="mia@acme.example")
    held = do("mailboxes.remove", otto, mailbox="sales2@acme.example")
    by_token = waits("mailboxes.change", token, mailbox="mia@acme.example", name="by a program")
    do("grants.end", city.house.oskar, grant=grant_of("otto@northlight.example"))
    do("tokens.end", city.house.oskar, token=str(the(ApiToken, name="wide").pk))
    approve(held.pk, actor=city.house.ada, plan_hash=held.plan_hash)
    tick(datetime.now(UTC) + SOON)
    return [again(one) for one in (later, held, by_token)]


@pytest.fixture
def box(city: City) -> None:
    do("mailboxes.create", city.house.olive, address="sales2@acme.example")


def test_a_job_of_somebody_who_lost_the_right_does_nothing(city: City, box: None) -> None:
    for change in revoked_meanwhile(city):
        assert change.version is None and "not allowed here" in reasons(change), (change.kind, change.stage)
    assert the(Mailbox, address__address="mia@acme.example").suspended_at is None


def test_without_the_second_question_it_would(city: City, box: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_may", lambda _: True)
    assert [one.version for one in revoked_meanwhile(city)] != [None] * 3


# Letters. Guard: each is made of the rows of its own change, and those were read in its client.


def letters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """(client, to, text) of all that is to be mailed in the city."""
    sent: list[tuple[str, str]] = []

    def taken_over(to: str, letter: Any) -> Outcome:
        sent.append((to, str(letter)))
        return Outcome(why="a test")

    monkeypatch.setattr(mail, "hand_in", taken_over)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:587")
    found = []
    with acting_as(SYSTEM):
        waiting = list(Delivery.objects.filter(target="mail").select_related("change__client"))
    for delivery in waiting:
        before = len(sent)
        mail.send(delivery.change, delivery)
        slug = delivery.change.client.slug if delivery.change.client else ""
        found += [(slug, *one) for one in sent[before:]]
    return found


def names_no_other(posted: list[tuple[str, str, str]]) -> None:
    for slug, to, text in posted:
        for other in ALL - {slug} if slug else ():
            words = (canary(other), f"{other}.example", f"{other}.test", other.title())
            assert not [word for word in words if word in text or word in to], f"{slug} to {to} names {other}"


def test_a_letter_about_a_client_goes_to_it_and_names_no_other(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = letters(monkeypatch)
    names_no_other(posted)
    assert {slug for slug, _, _ in posted} >= {*SLUGS} and len(posted) > 8
    wrong = [(slug, to, text.replace("acme", "globex")) for slug, to, text in posted]
    with pytest.raises(AssertionError):
        names_no_other(wrong)


# Search, the past, exports: what is another's is answered like what is not there. Guard: `visible`, and the wall.


def test_a_search_for_anothers_words_finds_nothing(city: City) -> None:
    for name in ("carl", "vera", "otto", "connie", "token"):
        who = city.who[name]
        with acting_as(who):
            for noun in objects.NOUNS:
                for word in ("globex", canary("globex"), "initech"):
                    assert objects.listed(who, noun, search=word).items == [], (name, noun)
            for noun in ("clients", "domains", "mailboxes", "people"):
                assert found(who, noun, "globex") == [], (name, noun)


def test_the_past_of_another_is_like_that_of_nobody(city: City) -> None:
    now = datetime.now(UTC).isoformat()
    for name in ("carl", "otto", "tess", "vera"):
        with acting_as(city.who[name]):
            for at in ("1", "3", now):
                answers = []
                for zone in ("globex", "nowhere"):
                    with pytest.raises(NotThere) as told:
                        objects.one(city.who[name], "mailboxes", f"leo@{zone}.example", at=at)
                    answers.append(str(told.value).replace(zone, "…"))
                    listed = objects.listed(city.who[name], "mailboxes", client=zone, at=at)
                    answers.append(repr(listed))
                assert answers[:2] == answers[2:], (name, at)


def test_anothers_record_is_taken_out_by_nobody(city: City) -> None:
    for name in ("carl", "otto", "vera", "connie", "stranger"):
        told = []
        for slug in ("globex", "nowhere"):
            with pytest.raises(NotThere) as no:
                take_out(city.who[name], slug, why="x", fresh=True)
            told.append(str(no.value).replace(slug, "…"))
        assert told[0] == told[1]
    with pytest.raises(NotAllowed):
        take_out(city.who["vera"], "acme", why="x", fresh=True)


# Names: a domain above, below or after another's. Guard: the plan is told (taken, beside), and a trigger decides.


def claimed(city: City, name: str) -> Change | str:
    try:
        return do("domains.add", city.who["otto"], client="acme", name=name)
    except ChangeError as error:
        return str(error)


CLAIMS = ("sub.globex.example", "a.b.globex.example", "globex.example")


def test_nobody_takes_a_name_above_below_or_after_anothers(city: City, sql: Sql) -> None:
    for name in CLAIMS:
        assert isinstance(claimed(city, name), str), name
    assert "taken" in str(claimed(city, CLAIMS[0]))
    gone = do("domains.remove", city.house.oskar, domain="globex.example", accept_loss=True)
    approve(gone.pk, actor=city.house.ada, plan_hash=gone.plan_hash)
    for name in CLAIMS:
        assert isinstance(claimed(city, name), str), f"{name}, while its domain may be restored"
    served = sql("SELECT compiled::text FROM compiled c JOIN clients k ON k.id = c.client_id WHERE k.slug = 'acme'")
    assert served and not [one for (one,) in served if one and "globex" in one]


def test_without_warning_and_trigger_somebody_would(city: City, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken, "others_beside", lambda _: [])
    monkeypatch.setattr(beside, "others_beside", lambda _: [])
    with pytest.raises(Exception, match=r"above or below|taken"):
        assert claimed(city, CLAIMS[0]) == "taken by the trigger"
    sql("DROP TRIGGER postroom_beside ON domains")
    assert isinstance(claimed(city, CLAIMS[1]), Change)
    assert the(Domain, name=CLAIMS[1])


HOSTILE = (
    "a\nb@acme.example", "a\r\nglobex.example@acme.example", "a=b c@acme.example", "@globex.example",
    "a@acme.example\n", "*@acme.example", "a@acme.example,b@globex.example", "a@acme.example b@globex.example",
    "a%s@acme.example\x00",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_address_is_two_lines_of_a_map(city: City, text: str) -> None:
    """Guard: the parameter's type; whatever it lets through is one address of that very domain."""
    for permission, params in (
        ("mailboxes.create", {"address": text}), ("aliases.create", {"address": text, "targets": ["mia@acme.example"]}),
        ("aliases.change", {"alias": "sales@acme.example", "targets": [text]}),
    ):  # fmt: skip
        try:
            asked = kind(permission, **params)
        except ValidationError:
            continue
        written = repr(asked.model_dump())
        assert "globex" not in written and not [end for end in ("\\n", "\\r", "\\x00") if end in written]
        assert text.strip() in written, "taken as it was said, white space around it aside"


def test_each_thing_that_is_served_is_one_line_of_its_own_client(city: City, sql: Sql) -> None:
    """As many entries as objects, and no value with a line's end, whatever it was made of."""
    rows = sql("SELECT k.slug, c.object, c.compiled::text FROM compiled c JOIN clients k ON k.id = c.client_id"
               " WHERE c.compiled IS NOT NULL")  # fmt: skip
    assert len(rows) > 20
    for slug, object, text in rows:
        assert "\\n" not in text and "\\r" not in text, (slug, object)
        assert not [other for other in ALL - {slug} if f"{other}.example" in text], (slug, object, text)


# Nodes. Guard: which node it is, is the role it signed in with.


def test_a_node_is_told_of_its_own_clients_and_strikes_off_its_own_list(
    city: City, node: Callable[[str], Any], sql: Sql
) -> None:
    other = sql("SELECT t.id FROM node_todo t JOIN nodes n ON n.id = t.node_id WHERE n.name = 'mx2'")
    mx1 = node("mx1")
    assert other and mx1.execute("SELECT node_ack(%s, '[]')", [[todo for (todo,) in other]]).fetchone() == (0,)
    mine = {
        slug for (slug,) in sql("SELECT c.slug FROM clients c JOIN nodes n ON n.id = c.node_id WHERE n.name = 'mx1'")
    }
    text = str(mx1.execute("SELECT node_rebuild(); ").fetchall()) + str(
        mx1.execute("SELECT * FROM node_pull(1000)").fetchall()
    )
    assert mine and [slug for slug in mine if f"{slug}.example" in text]
    assert not [slug for slug in ALL - mine if f"{slug}.example" in text]


def test_a_node_that_may_say_who_it_is_reads_anothers(city: City, node: Callable[[str], Any], sql: Sql) -> None:
    sql("CREATE OR REPLACE FUNCTION postroom_this_node() RETURNS uuid STABLE LANGUAGE sql RETURN (SELECT id FROM nodes"
        " WHERE name = 'mx2')")  # fmt: skip
    mx1 = node("mx1")
    mx1.execute("SELECT node_rebuild()")
    theirs = {
        slug for (slug,) in sql("SELECT c.slug FROM clients c JOIN nodes n ON n.id = c.node_id WHERE n.name = 'mx2'")
    }
    text = str(mx1.execute("SELECT * FROM node_pull(1000)").fetchall())
    assert [slug for slug in theirs if f"{slug}.example" in text]


# Keys, counters, caches.


def test_an_idempotency_key_is_of_who_sent_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key and the same words, from people of two clients. Guard: the proposer; and behind it the wall."""
    asked = {"name": "CI", "permissions": ["mailboxes.view"], "until": (datetime.now(UTC) + SOON).isoformat()}
    first = do("tokens.create", city.who["gina"], secrets={"token": "1" * 64}, once="same", **asked)
    second = do("tokens.create", city.who["carl"], secrets={"token": "2" * 64}, once="same", **asked, clients=["acme"])
    assert first.version and second.version and first.pk != second.pk
    again_ = do("mailboxes.change", city.who["otto"], once="k", mailbox="mia@acme.example", name="A")
    other = do("mailboxes.change", city.who["carl"], once="k", mailbox="mia@acme.example", name="B")
    assert again_.pk != other.pk, "one client, two people: a key tells neither of the other's request"
    monkeypatch.setattr(pipeline, "made_before", lambda kinds, actor, key: Change.objects.filter(key=key).first())
    leaked = submit(
        kind("mailboxes.change", mailbox="mia@acme.example", name="C"), actor=city.who["tess"], why="x", key="k"
    )
    assert leaked.pk in (again_.pk, other.pk), "without the proposer in it, one would get another's"


def test_who_asks_too_often_is_one_and_not_everybody(city: City) -> None:
    limit = Limit("a test", 2, 60)
    for _ in range(2):
        limit("carl")
    with pytest.raises(TooMany) as over:
        limit("carl")
    assert 0 < over.value.wait <= 60
    limit("gina")
    with pytest.raises(TooMany):
        limit("carl")


NOT_OF_ANYBODY = {
    "postroom.access.roles._matches": "pure: whether names given to it cover another",
    "postroom.access.scope._array": "ids as text", "postroom.changes.apply": "SQL by table",
    "postroom.models.base": "columns, defaults, models", "postroom.changes.kind": "parameters of a kind",
    "postroom.changes.taken": "tables with names", "postroom.posture.fold": "columns of a table",
    "postroom.web.parts.words": "words of a kind", "postroom.protocols": "pure: an address as text, read",
    "postroom.web.kept_factors._box": "the installation's own key",
    "postroom.access.scope._columns": "columns of a table", "postroom.access.scope._client_column": "one of them",
    "postroom.engines.sign_ins._booted": "when the machine started",
    "postroom.queries.pdf_pages.fonts": "files of the machine",
    "postroom.queries.coverage._statement": "SQL as it is written", "postroom.queries.leaving._statement": "the same",
    "postroom.engines.sieve_files": "programs of the machine",
}  # fmt: skip


def test_nothing_that_is_kept_between_requests_is_anybodys() -> None:
    """Whatever is remembered in the process is listed, with what: none of it is asked of a database."""
    gc.unfreeze()  # what was there when the run began is set aside (tests/conftest.py)
    kept = {f"{one.__module__}.{one.__qualname__}" for one in gc.get_objects()
            if isinstance(one, _lru_cache_wrapper) and str(one.__module__).startswith("postroom.")}  # fmt: skip
    unknown = [one for one in kept if not any(one.startswith(known) for known in NOT_OF_ANYBODY)]
    assert kept and unknown == []
