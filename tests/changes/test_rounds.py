"""Access reviews and rosters: who is asked what, who may answer, what an answer does and what it leaves alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, again, do, do_all, kind, left_out, person, reasons, the, together
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes import carry, policy
from postroom.changes.approvals import approve, undo
from postroom.changes.carry import carry_out
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import dry_run, submit
from postroom.changes.policies.closed_round import closed_round
from postroom.models import ApiToken, Change, Grant, Letter, Mailbox, Round, RoundLine
from postroom.protocols.quarters import began, quarter_of
from postroom.worker.rounds import end_right, quarterly

AMY = "amy@acme.example"
HOSTILE = "<script>alert(1)</script>\u202e {{ 7|add:7 }} %s ' OR 1=1 --"


@pytest.fixture
def amy(house: House) -> Iterator[Actor]:
    """Acme's own administrator."""
    do("people.invite", house.oskar, name="Amy", email=AMY, client="acme")
    do("grants.give", house.oskar, person=AMY, role="client admin", client="acme", reason="contract")
    yield person(AMY, house.oskar)


def review(house: House, client: str = "acme") -> Round:
    do("access_reviews.open", house.ada, client=client)
    return the(Round, sort="access review", client__slug=client)


def roster(house: House, client: str = "acme") -> Round:
    do("rosters.open", house.olive, client=client)
    return the(Round, sort="roster", client__slug=client)


def lines(round: Round) -> dict[str, RoundLine]:
    with acting_as(SYSTEM):
        return {one.name: one for one in RoundLine.objects.filter(round=round).order_by("id")}


def line(round: Round, name: str) -> str:
    return str(lines(round)[name].pk)


def sign(by: Actor, id: str, answer: str = "keep", why: str = "still their work") -> Change:
    return submit(kind("access_reviews.sign", line=id, answer=answer), actor=by, why=why)


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's own sender of what was signed to end."""
    monkeypatch.setitem(carry.SENDERS, "end", end_right)


def carried(change: Change) -> Change:
    """What the worker does with what was signed."""
    carry_out(str(change.pk), "end")
    return again(change)


def test_many_lines_are_signed_with_as_many_queries_as_two(house: House, amy: Actor) -> None:
    asked = list(lines(review(house)).values())
    others = [one for one in asked if one.person_id != house.ada.person]
    assert len(others) > 4

    def queries(many: int) -> int:
        parts = [kind("access_reviews.sign", line=str(one.pk), answer="keep") for one in others[:many]]
        with CaptureQueriesContext(connection) as found:
            dry_run(parts, actor=house.ada, why="x")
        return len(found)

    assert queries(len(others)) == queries(2)


def test_a_review_lists_every_right_that_reaches_the_client_as_it_stands(house: House, amy: Actor) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"], until=until)
    do("tokens.create", house.olive, secrets={"token": "6" * 64}, name="Globex", permissions=["domains.view"],
       clients=["globex"], until=until)  # fmt: skip
    do("people.seal", SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example")
    do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="globex")
    do("people.suspend", house.oskar, person="henry@northlight.example")
    do("mailboxes.change", house.olive, mailbox=MIA, name="Mia M")
    one = review(house)
    found = lines(one)
    assert set(found) == {
        "owner of Oskar", "operator of Olive", "approver of Ada", "helpdesk of Henry", "auditor of Audrey",
        "client admin of Carl", "client admin of Amy", "break-glass of Sealed login 1", "token CI of Olive",
    }  # fmt: skip
    assert one.due_at - one.opened_at == timedelta(days=14) and one.quarter == quarter_of(one.opened_at)
    assert all(line.answer == "" and line.client_id == one.client_id for line in found.values())
    amys, olives = found["client admin of Amy"].stood, found["operator of Olive"].stood
    assert (amys["where"], amys["given_by"], amys["reason"], amys["email"]) == ("client", "Oskar", "contract", AMY)
    assert olives["where"] == "organization" and olives["changed"], "what she did here is in the record anyway"
    assert not {"given_by", "reason", "email", "signed_in"} & olives.keys(), "of the organization's own, nothing more"
    assert found["break-glass of Sealed login 1"].stood["sealed"] and found["helpdesk of Henry"].stood["suspended"]


def test_an_approver_signs_line_by_line_and_each_is_an_entry_with_what_they_saw(house: House, amy: Actor) -> None:
    one = review(house)
    change = sign(house.ada, line(one, "client admin of Amy"), why=HOSTILE)
    signed = lines(one)["client admin of Amy"]
    assert change.stage == "verified" and (signed.answer, signed.note) == ("keep", HOSTILE)
    assert signed.answered_by_id == house.ada.person and signed.answered_at and signed.saw["stands"] is True
    from postroom.changes.history import edits_of

    with acting_as(amy):
        (edit,) = edits_of([change])
        assert edit.after["saw"] == signed.saw and edit.after["note"] == HOSTILE, "in Acme's record, which Amy reads"
    with pytest.raises(NothingToDo):
        sign(house.ada, str(signed.pk), why=HOSTILE)
    assert sign(house.oskar, str(signed.pk), why="I looked too").version, "another signature is another one"
    assert lines(one)["client admin of Amy"].answered_by_id == house.oskar.person


def test_nobody_signs_their_own_rights(house: House) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    do("tokens.create", house.ada, secrets={"token": "5" * 64}, name="Mine", permissions=["domains.view"], until=until)
    one = review(house)
    for name in ("approver of Ada", "token Mine of Ada"):
        refused = sign(house.ada, line(one, name))
        assert refused.stage == "refused" and reasons(refused) == f"nobody signs their own rights: {name}"
        assert lines(one)[name].answer == ""
        assert sign(house.oskar, line(one, name)).stage == "verified"


def test_who_may_not_approve_here_signs_nothing_and_takes_no_signature_back(house: House, amy: Actor) -> None:
    one = review(house)
    id = line(one, "helpdesk of Henry")
    for who in (house.olive, house.henry, house.audrey, house.carl, amy):
        assert sign(who, id).stage == "refused"
    assert sign(Actor(house.ada.person, "Ada", "token"), id).stage == "refused", "a program signs nothing"
    signed = sign(house.ada, id)
    for who in (house.olive, amy):
        back = undo(signed.pk, actor=who, why="I do not like it")
        assert back.stage == "refused", reasons(back)
    assert lines(one)["helpdesk of Henry"].answer == "keep"
    own = sign(house.oskar, line(one, "approver of Ada"))
    assert undo(own.pk, actor=house.oskar, why="mistaken").stage == "verified"
    assert lines(one)["approver of Ada"].answer == "", "the line is open again"


def test_signed_to_end_ends_by_the_ordinary_change_and_undo_gives_nothing_back(house: House, amy: Actor) -> None:
    one = review(house)
    signed = sign(house.ada, line(one, "client admin of Amy"), "end", "left in May")
    assert signed.stage == "applied" and the(Grant, person__email=AMY).ended_at is None
    assert carried(signed).stage == "verified" and the(Grant, person__email=AMY).ended_at
    with acting_as(SYSTEM):
        follow = Change.objects.get(caused_by=signed)
    assert (follow.kind, follow.proposer_id, follow.stage) == ("grants.end", house.ada.person, "verified")
    assert "left in May" in follow.why
    with pytest.raises(Problems, match="nothing to keep"):
        sign(house.oskar, line(one, "client admin of Amy"), "keep")
    back = undo(signed.pk, actor=house.oskar, why="it was not she")
    assert ("grants", "access is given again, never rolled back to") in left_out(back)
    assert the(Grant, person__email=AMY).ended_at and lines(one)["client admin of Amy"].answer == ""


def test_signed_to_end_meets_the_same_policies(house: House) -> None:
    one = review(house)
    signed = carried(sign(house.ada, line(one, "operator of Olive"), "end"))
    assert signed.stage == "verified" and the(Grant, role="operator").ended_at is None, "she stands above an approver"
    with acting_as(SYSTEM):
        follow = Change.objects.get(caused_by=signed)
        assert (follow.stage, follow.proposer_id) == ("refused", house.ada.person)
        (delivery,) = signed.delivery_set.all()
    assert "refused" in str(delivery.evidence)
    assert carried(signed).stage == "verified"
    with acting_as(SYSTEM):
        assert Change.objects.filter(caused_by=signed).count() == 1, "asked for once"
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"],
       until=(datetime.now(UTC) + timedelta(days=30)).isoformat())  # fmt: skip
    other = review(house, "globex")
    assert carried(sign(house.oskar, line(other, "token CI of Olive"), "end")).stage == "verified"
    assert the(ApiToken).ended_at


def test_what_was_signed_otherwise_before_the_worker_came_does_not_end(house: House, amy: Actor) -> None:
    one = review(house)
    signed = sign(house.ada, line(one, "client admin of Amy"), "end")
    sign(house.ada, line(one, "client admin of Amy"), "keep", "no, she stays")
    assert carried(signed).stage == "verified" and the(Grant, person__email=AMY).ended_at is None


def test_one_signs_no_more_than_a_page_at_once_without_a_second_person(house: House) -> None:
    for n in range(26):
        do("people.invite", house.oskar, name=f"P{n}", email=f"p{n}@northlight.example")
        do("grants.give", house.oskar, person=f"p{n}@northlight.example", role="auditor", client="acme")
    one = review(house)
    ids = [str(row.pk) for name, row in lines(one).items() if name.startswith("auditor of P")]
    parts = [{"line": id, "answer": "keep"} for id in ids]
    few = do_all("access_reviews.sign", house.ada, parts[:25])
    assert few.version, reasons(few)
    many = do_all("access_reviews.sign", house.oskar, parts)
    assert many.stage == "held" and "26 requests in one change" in reasons(many)


def test_a_review_needs_somebody_who_sees_all_and_is_one_a_quarter(house: House) -> None:
    do("people.invite", house.oskar, name="Local", email="local@northlight.example")
    given = do("grants.give", house.oskar, person="local@northlight.example", role="approver", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    local = person("local@northlight.example", house.oskar)
    with pytest.raises(Problems, match="does not see all"):
        do("access_reviews.open", local, client="acme")
    one = review(house)
    with pytest.raises(Problems, match="has its access review of"):
        review(house)
    signed = sign(local, line(one, "operator of Olive"))
    assert signed.stage == "verified" and lines(one)["operator of Olive"].saw == {"stands": True}
    assert sign(local, line(one, "approver of Local")).stage == "refused"
    with pytest.raises(Problems, match="line"):
        sign(local, line(review(house, "globex"), "operator of Olive"))


# Rosters.


def test_a_roster_asks_the_clients_own_people_and_writes_to_them(house: House, amy: Actor) -> None:
    do("clients.change", house.oskar, client="acme", security_contact="security@acme.example")
    do("mailboxes.create", house.olive, address="gone@acme.example")
    gone = do("mailboxes.remove", house.oskar, mailbox="gone@acme.example")
    approve(gone.pk, actor=house.ada, plan_hash=gone.plan_hash)
    one = roster(house)
    assert list(lines(one)) == [MIA, AMY]
    with acting_as(SYSTEM):
        told = {row.contact: row for row in Letter.objects.filter(says="roster")}
    assert set(told) == {AMY, "carl@northlight.example", "security@acme.example"}
    assert {row.about for row in told.values()} == {str(one.pk)}
    do("mailboxes.create", house.olive, address="new@acme.example")
    assert set(lines(one)) == {MIA, AMY}, "who came since is in the next one"
    done = do("rosters.answer", amy, line=line(one, MIA), answer="left")
    assert done.stage == "verified" and not lines(one)[MIA].on_behalf
    assert the(Mailbox, address__address=MIA).suspended_at is None, "nothing is suspended by an answer"


def test_an_answer_is_corrected_and_taken_back_while_the_roster_is_open(house: House, amy: Actor) -> None:
    one = roster(house)
    id = line(one, MIA)
    do("rosters.answer", amy, line=id, answer="unknown")
    with pytest.raises(NothingToDo):
        do("rosters.answer", amy, line=id, answer="unknown")
    second = do("rosters.answer", amy, line=id, answer="here")
    assert lines(one)[MIA].answer == "here"
    assert undo(second.pk, actor=amy, why="not sure").stage == "verified"
    assert lines(one)[MIA].answer == "unknown"


def test_who_answers_a_roster(house: House, amy: Actor) -> None:
    one = roster(house)
    for who in (house.ada, house.henry, house.audrey):
        assert do("rosters.answer", who, line=line(one, MIA), answer="here").stage == "refused"
    told = do("rosters.answer", house.olive, line=line(one, MIA), answer="here")
    answered = lines(one)[MIA]
    assert told.version and answered.on_behalf and answered.note == "a test"
    assert answered.answered_by_id == house.olive.person
    do("rosters.answer", amy, line=line(one, MIA), answer="here")
    assert not lines(one)[MIA].on_behalf
    do("people.invite", house.oskar, name="Vic", email="vic@acme.example", client="acme")
    do("grants.give", house.oskar, person="vic@acme.example", role="client viewer", client="acme")
    vic = person("vic@acme.example", house.oskar)
    assert do("rosters.answer", vic, line=line(one, MIA), answer="left").stage == "refused"
    with acting_as(vic):
        assert RoundLine.objects.filter(round=one).count() == 2, "a viewer reads"


def test_another_clients_roster_is_not_there(house: House, amy: Actor) -> None:
    theirs = roster(house, "globex")
    with acting_as(amy):
        assert not Round.objects.exists() and not RoundLine.objects.exists()
    with pytest.raises(Problems, match="no line"):
        do("rosters.answer", amy, line=line(theirs, "mia@globex.example"), answer="left")
    with pytest.raises(Problems, match="this is a line of a roster"):
        sign(house.ada, line(theirs, "mia@globex.example"))


def test_a_thousand_answers_wait_for_nobody(house: House, amy: Actor) -> None:
    for at in range(0, 40, 20):
        do_all("mailboxes.create", house.olive, [{"address": f"b{at + n}@acme.example"} for n in range(20)])
    one = roster(house)
    ids = [str(row.pk) for row in lines(one).values()]
    done = do_all("rosters.answer", amy, [{"line": id, "answer": "here"} for id in ids])
    assert len(ids) == 42 and done.stage == "verified", reasons(done)


# By the quarter.


def next_quarter(after: datetime | None = None) -> datetime:
    return began(quarter_of((after or datetime.now(UTC)) + timedelta(days=93))) + timedelta(hours=1)


def looked(at: datetime) -> list[Any]:
    return [done for work in quarterly(at) if (done := work()) is not None]


def test_each_client_gets_one_a_quarter_however_many_workers_look(house: House, monkeypatch: Any) -> None:
    assert looked(datetime.now(UTC)) == [], "clients of this quarter have their first with the next"
    from postroom.changes import pipeline

    then = next_quarter()
    monkeypatch.setattr(pipeline.timezone, "now", lambda: then)
    both = together(*[lambda: looked(then)] * 3)
    assert not [one for one in both if isinstance(one, Exception)], both
    with acting_as(SYSTEM):
        assert Round.objects.count() == 4
        assert {one.quarter for one in Round.objects.all()} == {quarter_of(then)}
        assert {one.actor for one in Change.objects.filter(kind__endswith=".open", kind__startswith="r")} == {"system"}
    assert looked(then) == []
    late = then + timedelta(days=700)
    monkeypatch.setattr(pipeline.timezone, "now", lambda: late)
    looked(late)
    with acting_as(SYSTEM):
        assert Round.objects.count() == 8, "dark for two years: one round each, not seven"


def test_a_frozen_client_gets_its_rounds_and_answers_them(house: House, amy: Actor) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    one, two = review(house), roster(house)
    assert sign(house.ada, line(one, "helpdesk of Henry")).stage == "verified"
    assert do("rosters.answer", amy, line=line(two, MIA), answer="left").stage == "verified"
    ended = carried(sign(house.ada, line(one, "client admin of Amy"), "end"))
    assert ended.stage == "verified" and the(Grant, person__email=AMY).ended_at, "what only closes goes through"
    opened = do("rosters.open", SYSTEM, client="globex")
    assert opened.version and not opened.verdicts


def test_a_closed_client_has_its_roster_and_no_review(house: House, amy: Actor) -> None:
    do("access.suspend", amy, client="acme")
    with pytest.raises(Problems, match="is closed to the organization"):
        do("access_reviews.open", SYSTEM, client="acme")
    assert do("rosters.open", SYSTEM, client="acme").version
    one = the(Round, sort="roster")
    with acting_as(house.olive):
        assert not Round.objects.exists()
    assert do("rosters.answer", amy, line=line(one, AMY), answer="here").stage == "verified"


def test_the_next_round_closes_the_one_before(house: House, amy: Actor, monkeypatch: Any) -> None:
    from postroom.changes import pipeline

    old = roster(house)
    then = next_quarter()
    monkeypatch.setattr(pipeline.timezone, "now", lambda: then)
    do("rosters.open", SYSTEM, client="acme")
    with pytest.raises(Problems, match="is closed: a later one is open"):
        do("rosters.answer", amy, line=line(old, MIA), answer="here")
    new = the(Round, sort="roster", quarter=quarter_of(then))
    assert do("rosters.answer", amy, line=line(new, MIA), answer="here").version


def test_no_undo_takes_an_answer_out_of_a_closed_round(
    house: House, amy: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.changes import pipeline

    answered = do("rosters.answer", amy, line=line(old := roster(house), MIA), answer="left")
    then = next_quarter()
    monkeypatch.setattr(pipeline.timezone, "now", lambda: then)
    do("rosters.open", SYSTEM, client="acme")
    back = undo(answered.pk, actor=amy, why="I would rather not have said so")
    assert back.stage == "refused" and "is closed" in reasons(back) and lines(old)[MIA].answer == "left"
    monkeypatch.setattr(policy, "POLICIES", [one for one in policy.POLICIES if one is not closed_round])
    assert undo(answered.pk, actor=amy, why="x").version, "without the guard"


def test_no_undo_opens_a_review_that_is_signed_line_by_line(house: House, amy: Actor) -> None:
    one = review(house)
    first = sign(house.ada, line(one, "client admin of Amy"))
    assert undo(first.pk, actor=house.oskar, why="not yet").version, "as long as some are left"
    for name in lines(one):
        by = house.oskar if name.endswith("of Ada") else house.ada
        last = sign(by, line(one, name))
        assert last.version, reasons(last)
    back = undo(last.pk, actor=house.oskar, why="mistaken")
    assert back.stage == "refused" and "is signed, line by line" in reasons(back)
    assert sign(house.ada, line(one, "client admin of Amy"), "change").version, "another answer corrects it"


def test_no_undo_takes_a_round_away(house: House) -> None:
    opened = do("access_reviews.open", house.ada, client="acme")
    with pytest.raises(NothingToDo):
        undo(opened.pk, actor=house.oskar, why="we do not want to be asked")
    assert the(Round, sort="access review")


def test_opening_is_for_people_and_the_system_alone(house: House) -> None:
    assert do("rosters.open", CLOCK, client="acme").stage == "refused"
