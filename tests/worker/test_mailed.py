"""What becomes of a letter: kept by its return address, told by a node, shown; a finding where it did not arrive."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone
from psycopg.types.json import Jsonb

from api.conftest import Caller
from cast import MIA, House, do, kind, the
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome, attempt
from postroom.models import (
    Change,
    Delivery,
    Finding,
    Invite,
    Mailbox,
    Mailed,
    Person,
    RecoveryChannel,
    SignInPlace,
)
from postroom.posture import run
from postroom.posture.checks.undelivered import UNDELIVERED
from postroom.protocols.return_address import names_letter
from postroom.worker import mail, new_places, watch
from submission import Post
from web.visitors import visitor

LEO, HOME = "leo@acme.example", "leo@home.example"
GONE = {"action": "failed", "status": "5.1.1", "said": "mx.home.example 550 5.1.1 <b>no</b> such user"}


@pytest.fixture
def mx1(node: Callable[[str], Node], house: House) -> Node:
    one = node("mx1")
    acknowledge(one)
    return one


def mailed(change: Change) -> None:
    with acting_as(SYSTEM):
        found = list(Delivery.objects.filter(change=change, target="mail", done=False))
    for delivery in found:
        attempt(change.pk, delivery)


def invited(house: House, contact: str = HOME, address: str = LEO) -> Invite:
    mailed(do("mailboxes.create", house.olive, address=address, contact=contact))
    return the(Invite, mailbox__address__address=address)


def told(node: Node, token: str, **said: str) -> None:
    rows = Jsonb([{**GONE, **said, "token": token}])
    node.execute("SELECT node_report('returns', %s)", [rows])


def state(**where: Any) -> list[tuple[str, str, str]]:
    with acting_as(SYSTEM):
        rows = Mailed.objects.filter(**where).order_by("id")
        return [(one.state, one.status, one.said) for one in rows]


def open_findings() -> list[Finding]:
    run.run(UNDELIVERED)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="letters.undelivered", closed_at=None).order_by("id"))


def board(house: House) -> str:
    return unescape(visitor(house.olive).get("/invites/").content.decode())


# Kept


def test_each_letter_has_a_return_address_of_its_own_of_which_only_the_hash_is_kept(house: House, post: Post) -> None:
    one = invited(house)
    first = post.token
    mailed(do("invites.resend", house.olive, invite=str(one.pk)))
    assert first and post.token and first != post.token
    with acting_as(SYSTEM):
        rows = list(Mailed.objects.filter(object=one.pk).order_by("id").values())
    assert len(rows) == 2 and first not in str(rows) and post.token not in str(rows)
    assert [row["state"] for row in rows] == ["queued", "queued"] and rows[0]["client_id"] == one.client_id


def test_a_try_that_came_to_nothing_leaves_one_row_whatever_many_there_are(house: House, post: Post) -> None:
    post.outcome = Outcome(why="refused", refused="550 5.1.2 <x>: no such\r\n domain")
    change = do("mailboxes.create", house.olive, address=LEO, contact=HOME)
    for _ in range(3):
        mailed(change)
    assert state() == [("refused", "5.1.2", "550 5.1.2 <x>: no such domain")]
    assert len({sender for _, sender, _ in post.letters}) == 3
    post.outcome = Outcome(why="nobody there")
    mailed(change)
    assert state()[0][0] == ""
    post.outcome = Post().outcome
    mailed(change)
    assert [one[0] for one in state()] == ["queued"]


def test_a_submission_that_tells_nothing_further_leaves_it_at_that(house: House, post: Post) -> None:
    post.outcome = Outcome([{"answer": "250 ok"}])
    invited(house)
    with acting_as(SYSTEM):
        Mailed.objects.update(at=timezone.now() - timedelta(days=3))
    assert [one[0] for one in state()] == ["handed"] and open_findings() == []


# Told


def test_only_the_right_token_says_what_became_of_it(house: House, post: Post, mx1: Node) -> None:
    invited(house)
    for wrong in ("", "a" * 26, post.token[:-1], post.token.upper(), mail.hashed(post.token), "%", "' OR ''='"):
        told(mx1, wrong)
    assert [one[0] for one in state()] == ["queued"]
    told(mx1, post.token)
    assert state() == [("bounced", "5.1.1", GONE["said"])]


def test_whatever_node_it_came_back_to(house: House, post: Post, node: Callable[[str], Node]) -> None:
    invited(house)
    told(node("mx2"), post.token)
    assert [one[0] for one in state()] == ["bounced"]


@pytest.mark.parametrize(("says", "stands"), [
    (("relayed",), "accepted"), (("delayed",), "delayed"), (("delayed", "relayed"), "accepted"),
    (("relayed", "delayed"), "accepted"), (("relayed", "failed"), "bounced"), (("failed", "relayed"), "bounced"),
    (("nonsense",), "queued"), (("",), "queued"),
])  # fmt: skip
def test_what_counts_of_several(house: House, post: Post, mx1: Node, says: tuple[str, ...], stands: str) -> None:
    invited(house)
    for action in says:
        told(mx1, post.token, action=action, status="2.0.0")
    assert [one[0] for one in state()] == [stands]


def test_a_hostile_report_is_cut_short_whatever_a_node_says(house: House, post: Post, mx1: Node) -> None:
    invited(house)
    told(mx1, post.token, said="x" * 90_000, status="5.1.1 and more")
    assert state() == [("bounced", "", "x" * 500)]


def test_a_node_reads_nothing_of_it(house: House, post: Post, mx1: Node) -> None:
    import psycopg

    invited(house)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        mx1.execute("SELECT * FROM mailed")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        mx1.execute("SELECT postroom_returns('[]')")


# Shown


@pytest.mark.parametrize(("says", "words"), [
    ("", "queued"), ("relayed", "accepted by the next server"), ("delayed", "delayed"), ("failed", "came back"),
])  # fmt: skip
def test_the_board_the_mailbox_and_the_api_say_it(house: House, post: Post, mx1: Node, says: str, words: str) -> None:
    invited(house)
    if says:
        told(mx1, post.token, action=says)
    page = visitor(house.olive).get(f"/mailboxes/{LEO}/").content.decode()
    assert words in board(house) and words in page and "Letter with the link" in page
    (item,) = Caller(house.olive).get(f"/invites?mailbox={LEO}").json()["items"]
    assert item["mail"]["handed_over"] is True
    assert item["mail"]["state"] == {"": "queued", "relayed": "accepted", "failed": "bounced"}.get(says, says)
    assert item["mail"]["said"] == (GONE["said"] if says else "250 2.0.0 Ok: queued as 4XyZ")


def test_what_a_server_says_is_text(house: House, post: Post, mx1: Node) -> None:
    invited(house)
    told(mx1, post.token, said="<script>alert(1)</script> 550 no")
    for url in ("/invites/", f"/mailboxes/{LEO}/"):
        said = visitor(house.olive).get(url).content.decode()
        assert "&lt;script&gt;alert(1)" in said and "<script>alert(1)" not in said, url


def test_a_refusal_of_our_own_submission_stands_there_too(house: House, post: Post) -> None:
    post.outcome = Outcome(why="our own submission: 550 no", refused="550 5.7.1 no")
    invited(house)
    assert "refused by our own submission" in board(house)


# A finding


def letter_to(post: Post, who: str, about: int = 1) -> str:
    mail.post(who, EmailMessage(), object=UUID(int=about), client=None)
    return post.token


def test_a_letter_that_came_back_is_a_finding_until_a_later_one_is_taken(house: House, post: Post, mx1: Node) -> None:
    who = the(Person, name="Olive").email
    told(mx1, letter_to(post, who))
    (one,) = open_findings()
    assert (one.noun, one.severity, one.evidence["status"]) == ("people", "high", "5.1.1") and who in one.title
    second = letter_to(post, who, 2)
    (still,) = open_findings()
    assert still.pk == one.pk and "came back" in still.title, "queued is not taken, and says nothing yet"
    told(mx1, second, action="delayed")
    assert [f.pk for f in open_findings()] == [one.pk]
    told(mx1, second, action="relayed")
    assert open_findings() == []
    with acting_as(SYSTEM):
        Mailed.objects.filter(state="accepted").delete()
    assert len(open_findings()) == 1, "never because time went by"


def test_it_closes_when_the_address_changed(house: House, post: Post, mx1: Node) -> None:
    who = the(Person, name="Henry")
    told(mx1, letter_to(post, who.email))
    assert len(open_findings()) == 1
    assert do("people.change", house.oskar, person=who.email, email="henry2@northlight.example").version
    assert open_findings() == []


@pytest.mark.parametrize("how", ["refused", "still queued"])
def test_what_was_refused_or_waits_for_hours_is_one_too(house: House, post: Post, how: str) -> None:
    who = the(Person, name="Ada").email
    if how == "refused":
        post.outcome = Outcome(why="no", refused="550 5.1.1 no such user")
    letter_to(post, who)
    if how != "refused":
        assert open_findings() == []
        with acting_as(SYSTEM):
            Mailed.objects.update(at=timezone.now() - timedelta(hours=4, minutes=1))
    (one,) = open_findings()
    assert ("refused" if how == "refused" else "taken by no server") in one.title


def test_of_a_channel_the_address_is_told_in_part(house: House, post: Post, mx1: Node) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value="mia@home.example")
    told(mx1, letter_to(post, "mia@home.example"))
    (one,) = open_findings()
    assert (one.noun, one.label) == ("mailboxes", MIA) and "mia@home.example" not in one.title


AWAY = "away@home.example"


def _registrar(house: House) -> None:
    do("domains.change", house.olive, domain="acme.example", registrar="R", registrar_account=" Away@HOME.example ")


def _contact(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact=AWAY)
    do("invites.cancel", house.olive, invite=str(the(Invite, mailbox__address__address=LEO).pk))


def _ended_way_back(house: House) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value=AWAY)
    do("recovery_channels.end", house.olive, channel=str(the(RecoveryChannel, value=AWAY).pk))


@pytest.mark.parametrize(("known_as", "noun", "label", "words"), [
    (_registrar, "domains", "acme.example", "where the registrar of acme.example writes to"),
    (_contact, "mailboxes", LEO, "the contact it has had"),
    (_ended_way_back, "mailboxes", MIA, "a way back into it that has ended"),
])  # fmt: skip
def test_everybody_whom_we_write_to_is_found(
    house: House, post: Post, mx1: Node, known_as: Callable[[House], None], noun: str, label: str, words: str
) -> None:
    known_as(house)
    told(mx1, letter_to(post, AWAY))
    (one,) = open_findings()
    assert (one.noun, one.label) == (noun, label) and words in one.title
    told(mx1, letter_to(post, AWAY, 2), action="relayed")
    assert open_findings() == []


def test_who_held_a_way_back_that_ended_is_reached_for_thirty_days(
    house: House, post: Post, mx1: Node, sql: Callable[..., Any]
) -> None:
    _ended_way_back(house)
    told(mx1, letter_to(post, AWAY))
    assert len(open_findings()) == 1
    sql("SELECT set_config('postroom.change', 'x', false)",
        "UPDATE recovery_channels SET ended_at = now() - interval '31 days'")  # fmt: skip
    assert open_findings() == []


def _new_place(hours: float, **said: Any) -> SignInPlace:
    box, at = the(Mailbox, address__address=MIA), timezone.now() - timedelta(hours=hours)
    about = {"client_id": box.client_id, "mailbox_id": box.pk, "domain_id": box.client_id}
    place = {"network": "192.0.2.0/24", "protocol": "imap", "address": "192.0.2.7", "wanted": True}
    with acting_as(SYSTEM):
        return SignInPlace.objects.create(**{**place, "last": at, "at": at, **about, **said})


def test_who_was_not_told_of_a_sign_in_since_no_letter_is_taken_is_one_too(house: House, post: Post) -> None:
    post.outcome = Outcome(why="connection refused")
    place = _new_place(3)
    new_places.tell(place.pk)
    assert open_findings() == [], "it may be taken yet"
    with acting_as(SYSTEM):
        SignInPlace.objects.filter(pk=place.pk).update(at=timezone.now() - timedelta(hours=5))
    (one,) = open_findings()
    assert (one.noun, one.label, one.severity) == ("mailboxes", MIA, "medium")
    assert one.evidence["why"] == "connection refused" and one.evidence["network"] == "192.0.2.0/24"
    post.outcome = Post().outcome
    new_places.tell(place.pk)
    assert open_findings() == []


def test_what_was_given_up_stays_one_until_a_letter_to_that_mailbox_is_taken(house: House, post: Post) -> None:
    post.outcome = Outcome(why="connection refused")
    place = _new_place(24 * 4)
    assert new_places.untold() == [place.pk], "tried once at least"
    new_places.tell(place.pk)
    assert new_places.untold() == []
    (one,) = open_findings()
    assert one.label == MIA
    letter_to(post, MIA, 5)
    assert len(open_findings()) == 1, "that one was not taken either"
    post.outcome = Post().outcome
    letter_to(post, MIA, 6)
    assert open_findings() == []


def test_no_letter_that_nobody_wanted_is_missed(house: House, post: Post) -> None:
    _new_place(9, wanted=False)
    _new_place(9, network="198.51.100.0/24", told=timezone.now())
    assert open_findings() == []


def test_a_letter_to_nobody_of_ours_is_none(house: House, post: Post, mx1: Node) -> None:
    told(mx1, letter_to(post, "stranger@far.example"))
    assert open_findings() == []


def test_what_is_known_of_an_address_outlives_ninety_days_and_nothing_else(house: House, post: Post, mx1: Node) -> None:
    for n, action in enumerate(("relayed", "failed")):
        told(mx1, letter_to(post, "a@b.example", n), action=action)
    letter_to(post, "c@d.example", 7)
    with acting_as(SYSTEM):
        Mailed.objects.update(at=timezone.now() - timedelta(days=91))
    watch.forget()
    assert [one[0] for one in state()] == ["bounced", "queued"]


# Handed in


class Submission:
    """A server's side of smtplib, as far as it is asked."""

    said: list[tuple[str, tuple[Any, ...]]]

    def __init__(self, *_: object, **__: object) -> None:
        type(self).said = []
        self.offered: set[str] = set()

    def __enter__(self) -> Submission:
        return self

    def __exit__(self, *_: object) -> None: ...

    def starttls(self, **_: object) -> None: ...

    def login(self, *_: object) -> None: ...

    def ehlo(self) -> None:
        """After the sign-in, as Dovecot's proxy: only then it knows what is offered behind it."""
        self.offered = {"dsn"}

    def has_extn(self, name: str) -> bool:
        return name in self.offered

    def mail(self, *said: Any) -> tuple[int, bytes]:
        self.said.append(("mail", said))
        return 250, b"ok"

    def rcpt(self, *said: Any) -> tuple[int, bytes]:
        self.said.append(("rcpt", said))
        return (550, b"5.1.1 no") if "nobody" in said[0] else (250, b"ok")

    def data(self, *said: Any) -> tuple[int, bytes]:
        self.said.append(("data", said))
        return 250, b"2.0.0 queued"


@pytest.fixture
def submission(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Submission]:
    (tmp_path / "key").write_text("x\n")
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", ("127.0.0.1", 1))
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION_KEY_FILE", tmp_path / "key")
    monkeypatch.setattr(smtplib, "SMTP", Submission)
    return Submission


def test_it_leaves_from_its_own_address_asks_to_be_told_and_says_so_in_no_header(
    house: House, submission: type[Submission]
) -> None:
    letter = EmailMessage()
    letter.set_content("x")
    mail.post("leo@home.example", letter, object=UUID(int=1), client=None)
    (_, (sender, options)), (_, (_to, asked)), (_, (text,)) = submission.said
    assert names_letter(sender) and options == ["RET=HDRS"] and asked == ["NOTIFY=SUCCESS,FAILURE,DELAY"]
    assert names_letter(sender).encode() not in text and b"Return-Path" not in text and b"From: postroom@" in text
    assert [one[0] for one in state()] == ["queued"]


def test_of_a_recipient_it_refuses_for_good_that_is_said(house: House, submission: type[Submission]) -> None:
    outcome = mail.post("nobody@home.example", EmailMessage(), object=UUID(int=1), client=None)
    assert outcome.refused == "550 5.1.1 no" and state() == [("refused", "5.1.1", "550 5.1.1 no")]


def test_every_letter_there_is_has_somebody_who_writes_it() -> None:
    """What kinds put into letters is what the registry knows; a word that nobody writes would stay in the queue."""
    from postroom.changes.kinds import (
        app_passwords,
        clients,
        delegations,
        devices,
        exceptions_asked,
        factors,
        filters,
        forwards_told,
        invites,
        own_secrets,
        recovery_channels,
        redirects,
        resets,
        rounds,
        transfer,
    )

    says = {clients.CHECKPOINT, rounds.ROSTER, invites.REDEEMED, transfer.TRANSFERRED, recovery_channels.NAMED,
            recovery_channels.ENDED, resets.RESET, own_secrets.CHANGED, own_secrets.RENEWED, own_secrets.RESET,
            own_secrets.COMPELLED, devices.DEVICE, factors.ADDED, factors.REMOVED, factors.CODES, app_passwords.MADE,
            app_passwords.LET_IN, forwards_told.LEAVES, filters.SET,
            exceptions_asked.ENDED, redirects.STOPPED,
            redirects.RESUMED, "recovered", "moved", delegations.ASKED_FOR,
            delegations.STARTED, delegations.ENDED, delegations.DECLINED}  # fmt: skip
    assert says == set(mail.LETTERS), kind
