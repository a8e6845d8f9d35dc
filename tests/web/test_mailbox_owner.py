"""What the owner of a mailbox does at its page: another password, another code; and reads who opened or changed it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from visitors import visitor

from cast import MIA, House, again, do, owner_of, reasons, with_consent
from fake_dovecot import FakeDovecot
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner, said, signs_in, taken
from postroom.access.acting import SYSTEM, Actor, NoSuchOwner, acting_as, owner_at
from postroom.access.tokens import hashed_code
from postroom.changes.errors import Problems
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Change, Letter, Mailbox
from postroom.protocols import passwords
from postroom.queries.owning import aliases, story
from postroom.worker import owner_letters

NEW = "{PLAIN}another few plain words"
GLOBEX = "CANARY-GLOBEX"


def changes(browser: Client, old: str = WORDS, new: str = NEW, twice: str | None = None) -> Any:
    sent = {"old": old, "password": new, "again": new if twice is None else twice}
    return browser.post("/mailbox/password/", sent)


def code_of(page: bytes) -> str:
    found = re.search(r'class="rcode"[^>]*>(.*?)</p>', page.decode(), re.S)
    assert found
    return "-".join(re.split(r"-|<br>", found[1].strip()))


def value(sql: Any, purpose: str) -> str:
    ((kept,),) = sql(f"SELECT s.value FROM secrets s JOIN mailboxes m ON m.id = s.owner_row JOIN addresses a ON a.id ="
                     f" m.address_id WHERE a.address = '{MIA}' AND s.purpose = '{purpose}'")  # fmt: skip
    return str(kept)


def newest(kind: str) -> Change:
    with acting_as(SYSTEM):
        return Change.objects.filter(kind=kind).latest("id")


def test_another_password_ends_every_other_session_and_tells_everybody(
    house: House, mia: Mailbox, mx1: Node, dovecot: FakeDovecot, sql: Any
) -> None:
    browser, other = owner(), owner()
    do("recovery_channels.name", house.olive, mailbox=MIA, value="mia@home.test")
    taken(mx1)
    key = browser.session.session_key
    assert changes(browser).status_code == 200, newest("secrets.change").verdicts
    assert browser.get("/mailbox/").status_code == 200 and browser.session.session_key != key
    assert other.get("/mailbox/")["Location"] == "/mailbox/sign-in/"
    assert passwords.fits(value(sql, "password"), NEW), "what looks like a scheme is part of the password"
    done = newest("secrets.change")
    assert (done.actor, done.proposer_id, done.mailbox_id, done.params) == ("owner", None, mia.pk, {})
    with acting_as(SYSTEM):
        told = list(Letter.objects.filter(says="password changed").order_by("contact"))
    assert [one.contact for one in told] == [MIA, "mia@home.test"]
    text = owner_letters.told(told[0], done).get_content()
    assert "The password" not in text and "the password of the mailbox mia@acme.example" in text and NEW not in text
    (head,) = [one for one in said("secrets.change") if one.get("stage")]
    assert head["mailbox_id"] == str(mia.pk) and head["actor"] == "owner"
    taken(mx1)
    dovecot.passwords[MIA] = NEW
    assert signs_in(password=NEW)["Location"] == "/mailbox/" and again(done).stage in ("applied", "verified")


def test_what_stands_in_the_way_of_another_password(house: House, mia: Mailbox, dovecot: FakeDovecot, sql: Any) -> None:
    browser, before = owner(), value(sql, "password")
    for old, new, twice in (
        ("guessed", NEW, NEW), ("", NEW, NEW), (WORDS, NEW, NEW + "x"), (WORDS, "short", "short"),
        (WORDS, "password" * 2, "password" * 2), (WORDS, "miaacmeexample!", "miaacmeexample!"),
        (WORDS, "x" * 129, "x" * 129), (WORDS, "a line\nthat ends in two", "a line\nthat ends in two"),
    ):  # fmt: skip
        answer = changes(browser, old, new, twice)
        assert answer.status_code == 422 and WORDS not in answer.content.decode(), (old, new)
    assert value(sql, "password") == before and len([one for one in said("sign-in failed") if one.get("mailbox")]) == 2
    dovecot.says = lambda address, password: "FAIL\tuser=x\ttemp"
    assert changes(browser).status_code == 503
    do("freezes.start", house.olive, scope="acme", reason="an incident")
    dovecot.says = lambda address, password: "OK\tuser=x\tcred=main"
    answer = changes(browser)
    assert answer.status_code == 409 and b"an incident" in answer.content and value(sql, "password") == before


def test_a_session_whose_access_ended_meanwhile_changes_nothing(house: House, mia: Mailbox, sql: Any) -> None:
    """Even between the look at the door and the change itself: the transaction that writes asks again."""
    browser, before = owner(), value(sql, "password")
    with acting_as(SYSTEM):
        epoch = Mailbox.objects.get(pk=mia.pk).access_epoch
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    do("mailboxes.resume", house.olive, mailbox=MIA)
    assert changes(browser)["Location"] == "/mailbox/sign-in/"
    stale = Actor(None, "x", "owner", mailbox=mia.pk, epoch=epoch)
    with pytest.raises(NoSuchOwner):
        submit(KINDS["secrets.change"](), actor=stale, why="x", secrets={"password": "x"})
    assert value(sql, "password") == before


def test_an_owner_does_nothing_but_what_is_an_owners(house: House, mia: Mailbox) -> None:
    own = owner_at(MIA)
    assert own
    actor = Actor(None, "x", "owner", mailbox=mia.pk, epoch=own.epoch)
    for name, params in (
        ("mailboxes.change", {"mailbox": MIA, "vip": True}), ("mailboxes.suspend", {"mailbox": MIA}),
        ("aliases.create", {"address": "x@acme.example", "targets": [MIA]}),
    ):  # fmt: skip
        try:
            done = do(name, actor, **params)
        except Exception as error:
            assert "no domain" in str(error), name
            continue
        assert done.stage == "refused" and "not allowed" in reasons(done), name
    for who in (house.oskar, house.carl):
        for name in ("secrets.change", "secrets.renew", "secrets.reset"):
            with pytest.raises(Exception, match=r"open to its owner|no longer good|no invite"):
                submit(KINDS[name](), actor=who, why="x", secrets={"password": "x", "recovery code": "y"})


def test_another_recovery_code_is_shown_once_and_kept_as_a_hash(mia: Mailbox, sql: Any, dovecot: FakeDovecot) -> None:
    browser, before = owner(), value(sql, "recovery code")
    assert browser.post("/mailbox/code/", {"old": "guessed"}).status_code == 422
    assert value(sql, "recovery code") == before
    page = browser.post("/mailbox/code/", {"old": WORDS})
    code = code_of(page.content)
    assert len(code.replace("-", "")) == 30 and value(sql, "recovery code") == hashed_code(code) != before
    assert code not in browser.get("/mailbox/").content.decode()
    with connection.cursor() as cursor, acting_as(SYSTEM):
        cursor.execute("SELECT count(*) FROM edits WHERE (before::text || after::text) LIKE %s", [f"%{code[:11]}%"])
        assert cursor.fetchone() == (0,)
    with acting_as(SYSTEM):
        assert set(Letter.objects.filter(says="code renewed").values_list("contact", flat=True)) >= {MIA}


def test_she_reads_who_opened_or_changed_it_and_nothing_of_others(house: House, mia: Mailbox, mx1: Node) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    submit([KINDS["mailboxes.change"].model_validate({"mailbox": one, "quota_mb": 99}) for one in (MIA, LEO)],
           actor=house.olive, why="more room")  # fmt: skip
    do("aliases.create", house.carl, address="sales@acme.example", targets=[LEO, MIA])
    do("aliases.create", house.carl, address="leo.only@acme.example", targets=[LEO])
    visitor(house.olive).get(f"/mailboxes/{MIA}/")
    visitor(house.olive).get(f"/mailboxes/{LEO}/")
    taken(mx1)
    browser = owner()
    page = browser.get("/mailbox/").content.decode()
    assert "sales@acme.example" in page and "leo.only@acme.example" not in page
    told = browser.get("/mailbox/record/").content.decode()
    for words in (
        "Olive",
        "more room",
        "Looked at mailbox mia@acme.example",
        "Carl",
        "Its name, size or who looks after it was changed",
        "Another address brings its mail here",
    ):
        assert words in told, words
    assert LEO not in told and LEO not in page, "what else a change was about is not hers to read"
    assert "Globex" not in told + page


def lands_there() -> dict[str, int]:
    mia = owner_of(MIA)
    with acting_as(mia):
        return dict(aliases(mia))


def test_what_lands_there_by_way_of_others_is_shown_and_a_loop_ends(house: House, mia: Mailbox, sql: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    chain = [MIA, *(f"step{n:02}@acme.example" for n in range(1, 14))]
    for target, address in pairwise(chain):
        do("aliases.create", house.carl, address=address, targets=[target])
    do("aliases.create", house.carl, address="all@acme.example", targets=["step02@acme.example", LEO])
    do("aliases.create", house.carl, address="everybody@acme.example", targets=["all@acme.example", MIA])
    do("aliases.create", house.carl, address="leo.only@acme.example", targets=[LEO])
    browser = owner()
    page = browser.get("/mailbox/").content.decode()
    found = lands_there()
    assert found == {**dict.fromkeys(chain[1:], 0), "all@acme.example": 1, "everybody@acme.example": 1}
    assert all(one in page for one in found) and "leo.only@acme.example" not in page and LEO not in page
    told = browser.get("/mailbox/record/").content.decode()
    assert told.count("Another address brings its mail here") >= 14, "who made a way round is in her record too"
    with_consent(house, do("aliases.remove", house.carl, alias="step05@acme.example"))
    left = lands_there()
    assert left.keys() >= {"step04@acme.example", "all@acme.example"}
    assert "step06@acme.example" not in left, "what leads there no more is not shown"
    sql("ALTER TABLE aliases DISABLE TRIGGER USER",  # no change makes a loop; one that stood would end here
        "UPDATE aliases SET targets = targets || '{step04@acme.example}' WHERE address_id ="
        " (SELECT id FROM addresses WHERE address = 'step02@acme.example')",
        "ALTER TABLE aliases ENABLE TRIGGER USER")  # fmt: skip
    assert lands_there() == left


def test_no_alias_of_an_alias_of_hers_is_a_way_back_for_her(house: House, mia: Mailbox) -> None:
    do("aliases.create", house.carl, address="near@acme.example", targets=[MIA])
    do("aliases.create", house.carl, address="far@acme.example", targets=["near@acme.example"])
    with pytest.raises(Problems, match=r"lands in mia@acme\.example itself"):
        do("recovery_channels.name", owner_of(MIA), mailbox=MIA, value="far@acme.example")


def chained(sql: Any, steps: int, also: dict[int, str]) -> None:
    """Rows of a chain of aliases: step0001 to the mailbox, each other to the one before. also: a second target of some.

    Put in past the changes, since so many of these would take a minute.
    """
    more = " ".join(f"WHEN {n} THEN '{{{target}}}'::text[]" for n, target in also.items())
    sql("ALTER TABLE addresses DISABLE TRIGGER USER", "ALTER TABLE aliases DISABLE TRIGGER USER",
        "WITH mine AS (SELECT client_id, domain_id FROM addresses WHERE address = 'mia@acme.example'), made AS ("
        " INSERT INTO addresses (id, client_id, domain_id, address, keep_copy)"
        " SELECT gen_random_uuid(), client_id, domain_id, format('step%s@acme.example', to_char(n, 'FM0000')), true"
        f" FROM mine, generate_series(1, {steps}) n"
        " RETURNING id, client_id, address)"
        " INSERT INTO aliases (id, client_id, address_id, targets) SELECT gen_random_uuid(), client_id, id,"
        " CASE n WHEN 1 THEN '{mia@acme.example}'"
        " ELSE ARRAY[format('step%s@acme.example', to_char(n - 1, 'FM0000'))] END"
        f" || CASE n {more} ELSE '{{}}' END FROM made, LATERAL (SELECT substr(address, 5, 4)::int) s(n)",
        "ALTER TABLE addresses ENABLE TRIGGER USER", "ALTER TABLE aliases ENABLE TRIGGER USER")  # fmt: skip


def test_a_long_chain_keeps_nobody_waiting(house: House, mia: Mailbox, sql: Any) -> None:
    """Each way in which it is read takes the database less than a second: her page, her record, and what she names."""
    chained(sql, 300, {100: LEO, 150: LEO, 200: "x@elsewhere.example", 250: MIA, 300: "step0001@acme.example"})
    with CaptureQueriesContext(connection) as ran:
        found = lands_there()
        mia_herself = owner_of(MIA)
        with acting_as(mia_herself):
            assert story(mia_herself).items
        with pytest.raises(Problems, match=r"lands in mia@acme\.example itself"):
            do("recovery_channels.name", mia_herself, mailbox=MIA, value="step0300@acme.example")
    assert found == {f"step{n:04}@acme.example": (n >= 100) + (n >= 200) for n in range(1, 301)}
    took = [float(one["time"]) for one in ran.captured_queries if "FROM postroom_own_" in one["sql"]]
    assert len(took) >= 3 and max(took) < 1, took


def test_her_pages_are_paged_and_ask_a_fixed_number_of_times(house: House, mia: Mailbox) -> None:
    browser = owner()
    browser.get("/mailbox/")
    counts = set()
    for n in range(3):
        with CaptureQueriesContext(connection) as found:
            assert browser.get("/mailbox/").status_code == 200
        counts.add("\n".join(q["sql"][:60] for q in found))
        for _ in range(12 if n == 0 else 1):
            visitor(house.olive).get("/mailboxes/")
        do("mailboxes.change", house.olive, mailbox=MIA, name=f"Mia {n}")
        do("aliases.create", house.carl, address=f"a{n}@acme.example", targets=[MIA])
    assert len(counts) == 1, counts
    for n in range(30):
        do("mailboxes.change", house.olive, mailbox=MIA, name=f"Mia the {n}")
    first = browser.get("/mailbox/record/").content.decode()
    further = re.search(r"/mailbox/record/\?after=\d+", first)
    assert further and first.count('class="ln') == 25
    second = browser.get(further[0]).content.decode()
    assert 0 < second.count('class="ln') <= 25 and browser.get("/mailbox/record/?after=x").status_code == 200
