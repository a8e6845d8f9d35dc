"""Who is refused at a door is an entry of the client whose object it was, as far as they may see that object."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from visitors import found_at_acme, invite_of, round_at_acme, verification_at_acme, visitor

from api.conftest import Caller
from cast import MIA, House, do, doubted, owner_of, person, redeemed, the, together
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kind import KINDS
from postroom.models import ApiToken, Change, Client, Entry, Grant, Mailbox, RecordedEdit, RecoveryChannel, RoundLine
from postroom.models.base import state_models
from postroom.posture.signed import signed
from postroom.queries.entries import Wanted, entries
from postroom.queries.objects import NOUNS
from postroom.queries.owning import story
from postroom.queries.turned_away import BY_ID, named_in, turned_away
from postroom.web.kind_fields import params_of

GINA, VERA = "gina@globex.example", "vera@acme.example"


def viewer(house: House, email: str, client: str) -> Any:
    """Somebody who may look at this client, and do nothing."""
    do("people.invite", house.oskar, name=email.partition("@")[0].title(), email=email, client=client)
    assert do("grants.give", house.oskar, person=email, role="client viewer", client=client).version
    return person(email, house.oskar)


def newest() -> tuple[str | None, dict[str, Any]]:
    """Whose the newest refusal is, and what it says."""
    with acting_as(SYSTEM):
        said = RecordedEdit.objects.filter(said="refused").latest("entry_id")
        slug = Client.objects.filter(pk=said.client_id).values_list("slug", flat=True).first()
        assert Entry.objects.get(pk=said.entry_id).client_id == said.client_id
        return slug, dict(said.after or {})


def count() -> int:
    with acting_as(SYSTEM):
        return RecordedEdit.objects.filter(said="refused").count()


@pytest.mark.parametrize(
    "address, client, object",
    [
        (f"/do/mailboxes.suspend/?mailbox={MIA}", "acme", MIA),
        ("/do/clients.change/?client=acme", "acme", "acme"),
        ("/do/clients.change/", None, None),
        ("/do/clients.create/", None, None),
        ("/do/mailboxes.suspend/?mailbox=mia@globex.example", None, None),
        ("/do/mailboxes.suspend/?mailbox=nobody@acme.example", None, None),
        (f"/do/mailboxes.suspend/?mailbox={MIA}&mailbox=nobody@acme.example", "acme", MIA),
        (f"/do/mailboxes.suspend/?mailbox=nobody@acme.example&mailbox={MIA}", None, None),
        ("/do/clients.change/?client=acme&client=globex", "acme", "acme"),
        (f"/do/mailboxes.change/?mailbox=%20{MIA}", "acme", MIA),
    ],
)
def test_at_a_form(house: House, address: str, client: str | None, object: str | None) -> None:
    vera = visitor(viewer(house, VERA, "acme"))
    before = count()
    assert vera.get(address).status_code == 403
    whose, said = newest()
    assert (whose, said.get("object"), count()) == (client, object, before + 1)


@pytest.mark.parametrize(
    "kind, typed, object",
    [
        ("mailboxes.suspend", {"row-0-mailbox": MIA}, MIA),
        ("mailboxes.suspend", {"row-3-mailbox": "", "row-7-mailbox": MIA, "row-8-mailbox": "x@acme.example"}, MIA),
        ("mailboxes.suspend", {"row-0-mailbox": "mia@globex.example", "row-1-mailbox": MIA}, None),
        ("mailboxes.change", {"mailbox": MIA, "name": "Mia"}, MIA),
    ],
)
def test_what_is_typed_into_a_form(house: House, kind: str, typed: dict[str, str], object: str | None) -> None:
    """Of a kind that is done to several at once, it stands in rows; the first that is filled in is what is named."""
    vera = visitor(viewer(house, VERA, "acme"))
    assert vera.post(f"/do/{kind}/", {**typed, "why": "x", "step": "send"}).status_code == 403
    whose, said = newest()
    assert (whose, said.get("object")) == ("acme" if object else None, object)


def test_what_is_not_theirs_and_what_is_not_there_are_answered_alike(house: House) -> None:
    vera = visitor(viewer(house, VERA, "acme"))
    pages = [vera.get(f"/do/mailboxes.suspend/?mailbox={ref}@{at}.example") for ref, at in
             (("mia", "globex"), ("nobody", "globex"), ("mia", "acme"))]  # fmt: skip
    assert len({(one.status_code, without_token(one.content.decode())) for one in pages}) == 1


def without_token(page: str) -> str:
    return re.sub(r'(csrf[^"]*"|nonce=")[^"]+"', "", page)


@pytest.mark.parametrize("email, at, client", [(VERA, "acme", "acme"), (GINA, "globex", None)])
def test_at_the_api_by_what_stands_in_the_address(house: House, email: str, at: str, client: str | None) -> None:
    """Who is of another client is answered alike, and leaves nothing in that client's record."""
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    who = viewer(house, email, at)
    caller = Caller(who)
    for act in ("resend", "cancel"):
        answer = caller.post(f"/invites/{invite_of(house.olive)}/{act}", {"why": "x"})
        assert answer.status_code == 403 and "not allowed to you" in answer.content.decode(), act
        whose, said = newest()
        assert (whose, said["person"], said.get("name")) == (client, str(who.person), "Vera" if client else None), act


@pytest.mark.parametrize("email, at, client", [(VERA, "acme", "acme"), (GINA, "globex", None)])
def test_by_name_by_id_and_of_a_finding(house: House, email: str, at: str, client: str | None) -> None:
    who, mia = viewer(house, email, at), the(Mailbox, address__address=MIA).pk
    with acting_as(SYSTEM):
        change = Change.objects.filter(client__slug="acme", kind="mailboxes.create").latest("pk").pk
    named = (("mailboxes", MIA), ("mailboxes", str(mia)), ("findings", str(found_at_acme())), ("changes", str(change)))
    for n, (noun, ref) in enumerate(named):
        before = count()
        turned_away(who, f"mailboxes.suspend{n}", noun, ref)
        assert (newest()[0], count()) == (client, before + 1), (noun, ref)


@pytest.mark.parametrize("email, at, client", [(VERA, "acme", "acme"), (GINA, "globex", None)])
def test_of_what_stands_in_no_list_of_objects(house: House, email: str, at: str, client: str | None) -> None:
    """Ways back, verified resets, doubts, rounds and their lines: by a form, or by the page's own address."""
    browser = visitor(viewer(house, email, at))
    reset, until = verification_at_acme(house), timezone.now().replace(microsecond=0) + timedelta(days=1)
    do("recovery_channels.name", house.olive, mailbox="rex@acme.example", value="rex@elsewhere.example", name="Rex")
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"],
       clients=["acme"], until=until)  # fmt: skip
    token, channel = the(ApiToken).pk, the(RecoveryChannel).pk
    review, roster = round_at_acme("access_reviews.open"), round_at_acme("rosters.open")
    line, doubt = the_first(RoundLine, round_id=roster), doubted("rex@acme.example").pk
    for address, of in {
        f"/do/recovery_channels.end/?channel={channel}": channel, f"/do/resets.end/?verification={reset}": reset,
        f"/do/doubts.settle/?doubt={doubt}": doubt, f"/do/tokens.end/?token={token}": token,
        f"/do/rosters.answer/?line={line}": line,
    }.items():  # fmt: skip
        assert browser.get(address).status_code == 403, address
        assert (newest()[0], last_of() == str(of)) == (client, client is not None), address
    for address, of in {f"/access-reviews/{review}/sign/": review, f"/rosters/{roster}/answer/": roster}.items():
        assert browser.post(address).status_code == 403, address
        assert (newest()[0], last_of() == str(of)) == (client, client is not None), address


def the_first(model: Any, **where: Any) -> Any:
    with acting_as(SYSTEM):
        return model.objects.filter(**where).earliest("pk").pk


def last_of() -> str:
    """Of which object the newest refusal is."""
    with acting_as(SYSTEM):
        return str(RecordedEdit.objects.filter(said="refused").latest("entry_id").row)


def test_whatever_a_form_names_is_looked_up_or_is_of_no_client() -> None:
    kinds = [kind for kind in KINDS.values() if "person" in kind.by]
    named = {one.ref for kind in kinds for one in params_of(kind) if one.ref} - {*NOUNS, *BY_ID}
    assert named == {"api_sessions", "mail_apps", "own_roles", "roles"}
    known = state_models()
    assert not {one for one in named & {*known} if "client_id" in known[one].columns()}


def test_whoever_holds_nothing_there_any_more_writes_nothing_there(house: House) -> None:
    """A grant, and a change, stay to be seen by whose they are; the client's record is not theirs to write in."""
    vera = viewer(house, VERA, "acme")
    grant = the(Grant, person_id=vera.person).pk
    asked = do("mailboxes.suspend", vera, mailbox=MIA).pk
    for noun, ref in (("grants", str(grant)), ("changes", str(asked))):
        turned_away(vera, "nodes.change", noun, ref)
        assert newest()[0] == "acme", noun
    assert do("grants.end", house.oskar, grant=str(grant)).version
    assert Caller(vera).get(f"/grants/{grant}").status_code == 403
    assert newest() == (None, {**newest()[1], "permission": "grants.view", "client_id": None})
    for noun, ref in (("grants", str(grant)), ("changes", str(asked))):
        turned_away(vera, "nodes.change", noun, ref)
        assert newest()[0] is None, noun


def test_a_client_that_closed_itself_is_not_written_at_by_whom_it_shut_out(house: House) -> None:
    henry = visitor(house.henry)
    for closed, client in ((False, "acme"), (True, None)):
        if closed:
            assert do("access.suspend", house.carl, client="acme").version
        assert henry.get("/do/clients.change/?client=acme").status_code == 403
        assert newest()[0] == client


def test_at_a_client_it_is_one_entry_a_person_permission_object_and_hour(house: House, sql: Any) -> None:
    """Who tries it a hundred times fills no record that others read; the organization reads each try at none."""
    who = viewer(house, VERA, "acme")
    vera, henry = visitor(who), visitor(house.henry)
    suspend, before = f"/do/mailboxes.suspend/?mailbox={MIA}", count()
    assert [vera.get(suspend).status_code for _ in range(5)] == [403] * 5
    assert vera.post("/do/mailboxes.suspend/", {"row-0-mailbox": MIA, "why": "x"}).status_code == 403
    assert count() == before + 1
    for n, again in enumerate((f"/do/mailboxes.resume/?mailbox={MIA}", "/do/mailboxes.suspend/?mailbox=@"), start=2):
        assert vera.get(again).status_code == 403 and count() == before + n, again
    assert henry.get(suspend).status_code == 403 and count() == before + 4, "another person"
    sql("UPDATE looked_at SET hour = hour - interval '1 hour'")
    assert vera.get(suspend).status_code == 403 and count() == before + 5, "another hour"
    turned_away(who, "mailboxes.suspend", "nodes", "mx1")
    turned_away(who, "mailboxes.suspend", "nodes", "mx1")
    assert count() == before + 7 and newest()[0] is None


def test_who_was_refused_at_an_object_is_recorded_at_their_look_at_it_too(house: House) -> None:
    henry = visitor(house.henry)
    assert henry.get(f"/do/mailboxes.suspend/?mailbox={MIA}").status_code == 403
    assert henry.get(f"/mailboxes/{MIA}/").status_code == 200
    with acting_as(SYSTEM):
        seen = [one.after["name"] for one in RecordedEdit.objects.filter(said="looked at")]
    assert seen == ["Henry"] and newest()[1]["person"] == str(house.henry.person)


def test_the_owner_of_the_mailbox_reads_it_once(house: House) -> None:
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    redeemed("nia@acme.example")
    own = owner_of("nia@acme.example")
    browser = visitor(viewer(house, VERA, "acme"))
    for _ in range(3):
        assert browser.get("/do/mailboxes.suspend/?mailbox=nia@acme.example").status_code == 403
    with acting_as(own):
        assert [one.said for one in story(own).items].count("refused") == 1


def test_two_refusals_at_once_are_one_entry(house: House) -> None:
    who, before = viewer(house, VERA, "acme"), count()
    together(*(lambda: turned_away(who, "mailboxes.suspend", "mailboxes", MIA),) * 4)
    assert count() == before + 1


def test_the_clients_own_admin_reads_it_and_finds_it_by_its_object(house: House) -> None:
    visitor(house.henry).get(f"/do/mailboxes.suspend/?mailbox={MIA}")
    for reader, there in ((house.carl, 1), (viewer(house, GINA, "globex"), 0)):
        with acting_as(reader):
            seen = list(entries(reader, Wanted(said=("refused",), object=MIA), signed()).items)
        assert len(seen) == there
    page = " ".join(visitor(house.carl).get("/audit/?what=refused").content.decode().split())
    assert f"Refused: mailboxes.suspend {MIA}" in page and "Henry" in page


@pytest.mark.parametrize(
    "path, named",
    [
        ("/mailboxes/mia@acme.example/", ("mailboxes", "mia@acme.example")),
        ("/mailboxes/mia@acme.example/devices/", ("mailboxes", "mia@acme.example")),
        ("/api/v1/clients/acme/sheet", ("clients", "acme")),
        ("/access-reviews/7/", ("access_reviews", "7")),
        ("/clients/", ("clients", "")),
        ("/", ("", "")),
    ],
)
def test_what_an_address_names(path: str, named: tuple[str, str]) -> None:
    assert named_in(path) == named


@pytest.mark.parametrize("ref", ["", "x" * 5000, "%", "mia@acme.example\x00", "../..", "7", "é@é"])
@pytest.mark.parametrize("noun", ["mailboxes", "changes", "findings", "do", "no such noun", "grants"])
def test_whatever_stands_there_is_an_entry_and_no_error(house: House, noun: str, ref: str) -> None:
    before = count()
    turned_away(house.henry, "x.y", noun, ref)
    assert count() == before + 1 and newest()[0] is None
