"""*I do not know this change*: its entry, the finding, who settles it and who does not; nobody else's mailbox."""

from __future__ import annotations

import pytest

from cast import MIA, House, app_password, do, doubted, newest_of, owner_of, reasons, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.changes.approvals import undo
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.kinds.doubts import MOST, severity_of
from postroom.models import Doubt, Finding, RecordedEdit
from postroom.posture import run
from postroom.posture.checks.not_known import NOT_KNOWN
from postroom.queries.owning import story

LEO = "leo@acme.example"


@pytest.fixture
def mia(house: House) -> House:
    """Mia has set her password; Leo too, at the same client."""
    do("mailboxes.create", house.olive, address=LEO, name="Leo")
    for address in (MIA, LEO):
        do("invites.send", house.olive, mailbox=address, contact="somebody@home.test")
        redeemed(address)
    return house


def findings() -> list[Finding]:
    run.run(NOT_KNOWN)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="mailboxes.not_known", closed_at=None))


def quota(house: House) -> None:
    assert do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77).version


@pytest.mark.parametrize(("said", "severity"), [
    ("secrets.reset", "critical"), ("invites.issue", "critical"), ("app_passwords.create", "critical"),
    ("consents.grant", "critical"), ("consents.end", "high"), ("consents.end_all", "high"),
    ("recovery_channels.name", "critical"), ("signed in", "critical"), ("mailboxes.transfer", "critical"),
    ("app_passwords.end", "high"), ("aliases.change", "high"), ("mailboxes.suspend", "high"),
    ("looked at", "medium"), ("sign-in failed", "medium"), ("clients.change", "medium"),
])  # fmt: skip
def test_how_bad_it_is_is_how_bad_the_change_was(said: str, severity: str) -> None:
    assert severity_of(said) == severity


def test_it_is_an_entry_and_a_finding_until_somebody_settles_it(mia: House) -> None:
    do("aliases.create", mia.olive, address="sales@acme.example", targets=[MIA])
    doubt = doubted(MIA)
    assert (doubt.said, doubt.severity, doubt.settled_at) == ("aliases.create", "high", None)
    with acting_as(SYSTEM):
        (line,) = RecordedEdit.objects.filter(table="doubts", row=doubt.pk)
        head = RecordedEdit.objects.get(entry=line.entry_id, n=0).after
    assert head and (head["kind"], head["actor"]) == ("doubts.raise", "owner")
    (found,) = findings()
    assert (found.severity, found.kind, found.params) == ("high", "doubts.settle", {"doubt": str(doubt.pk)})
    for who in (mia.carl, mia.olive):
        with acting_as(who):
            assert visible(who, Finding).filter(pk=found.pk).exists(), "the client's admin reads it, and the operator"
    assert [one.pk for one in findings()] == [found.pk], "no read of anything else closes it"
    assert do("doubts.settle", mia.carl, doubt=str(doubt.pk), outcome="the front desk asked for it").version
    assert findings() == []
    own = owner_of(MIA)
    with acting_as(own):
        assert visible(own, Doubt).get().outcome == "the front desk asked for it"
        assert [one.said for one in story(own, limit=2).items] == ["doubts.settle", "doubts.raise"]


def test_who_did_it_does_not_settle_it(mia: House) -> None:
    quota(mia)
    doubt = str(doubted(MIA).pk)
    with pytest.raises(Problems, match="you did it yourself"):
        do("doubts.settle", mia.olive, doubt=doubt, outcome="all is well")
    with pytest.raises(Exception, match=r"outcome|String should"):
        do("doubts.settle", mia.carl, doubt=doubt, outcome="")
    for who in (mia.henry, mia.audrey, mia.ada):
        done = do("doubts.settle", who, doubt=doubt, outcome="all is well")
        assert done.stage == "refused" and "not allowed" in reasons(done)
    assert len(findings()) == 1
    assert do("doubts.settle", mia.oskar, doubt=doubt, outcome="found out").version
    with pytest.raises(Problems, match="it is settled since"):
        do("doubts.settle", mia.carl, doubt=doubt, outcome="again")


def test_the_owner_settles_nothing_and_nobody_says_it_for_them(mia: House) -> None:
    quota(mia)
    doubt = doubted(MIA)
    done = do("doubts.settle", owner_of(MIA), doubt=str(doubt.pk), outcome="never mind")
    assert done.stage == "refused", "else whoever has the password takes it back"
    for who in (mia.oskar, mia.carl):
        with pytest.raises(Problems, match="not open to its owner"):
            do("doubts.raise", who, entry=newest_of(MIA))


def test_no_undo_takes_it_away_and_one_of_settling_opens_it_again(mia: House) -> None:
    quota(mia)
    raised = do("doubts.raise", owner_of(MIA), entry=newest_of(MIA))
    with pytest.raises(NothingToDo):
        undo(raised.pk, actor=mia.carl, why="a test")
    assert the(Doubt).settled_at is None
    settled = do("doubts.settle", mia.carl, doubt=str(the(Doubt).pk), outcome="too soon")
    assert findings() == []
    assert undo(settled.pk, actor=mia.carl, why="not so").version
    assert len(findings()) == 1


def test_it_is_of_her_own_mailbox_alone(mia: House) -> None:
    quota(mia)
    hers = newest_of(MIA)
    do("mailboxes.change", mia.olive, mailbox=LEO, quota_mb=77)
    app_password(LEO, "Leo's phone")
    for entry in (newest_of(LEO), 1, 2**62):
        with pytest.raises(Problems, match="no entry"):
            do("doubts.raise", owner_of(MIA), entry=entry)
    with pytest.raises(Problems, match="no entry"):
        do("doubts.raise", owner_of("mia@globex.example"), entry=hers)
    doubted(MIA)
    for other in (owner_of(LEO), owner_of("mia@globex.example")):
        with acting_as(other):
            assert not visible(other, Doubt).exists(), "the filter"
            assert not Doubt.objects.exists(), "row security by itself"


def test_once_said_is_enough_and_there_is_an_end_to_how_much(mia: House) -> None:
    for n in range(MOST + 1):
        do("mailboxes.change", mia.olive, mailbox=MIA, quota_mb=100 + n)
    own = owner_of(MIA)
    with acting_as(own):
        entries = [one.entry for one in story(own, limit=60).items if one.said == "mailboxes.change"]
    for entry in entries[:MOST]:
        assert do("doubts.raise", own, entry=entry).version
    with pytest.raises(NothingToDo):
        do("doubts.raise", own, entry=entries[0])
    with pytest.raises(Problems, match="they are looked at first"):
        do("doubts.raise", own, entry=entries[MOST])
    with acting_as(SYSTEM):
        assert Doubt.objects.filter(settled_at=None).count() == MOST


def test_app_passwords_made_and_ended_stand_in_her_story(mia: House) -> None:
    phone = app_password(MIA, "Phone")
    app_password(LEO, "Leo's phone")
    do("app_passwords.end", mia.olive, app_password=str(phone.pk))
    own = owner_of(MIA)
    with acting_as(own):
        told = [one.said for one in story(own, limit=2).items]
    assert told == ["app_passwords.end", "app_passwords.create"]
