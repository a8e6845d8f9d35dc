"""Others' mailboxes, by a mail program: what a person's shows and a shared one lets do, to whom, and until when."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Iterator

import pytest
from filters import remove, upload
from live_node import JOE, KIM, MIA, LiveNode, letter, mailbox, until

from postroom.engines.source import Compiled

pytestmark = pytest.mark.server

TEAM, READS, WORKS = "team@acme.example", "lr", "lrwstipek"
HERS, THEIRS = f'"shared/{MIA}"', f'"shared/{TEAM}"'


def opened(address: str, rights: str, login: str = JOE, end: int | None = None, sign_in: int = 1) -> Compiled:
    """The mailbox as it is compiled when one login opens it; until then it is as it was."""
    compiled = mailbox(address, sign_in=sign_in)
    compiled["maps"]["opens"] = [{"address": address, "login": login, "rights": rights, "until": end}]
    return compiled


@pytest.fixture
def hers(node: LiveNode) -> Iterator[LiveNode]:
    """Joe reads Mia's mailbox."""
    node.put("address", MIA, opened(MIA, READS))
    yield node
    node.put("address", MIA, mailbox(MIA))


@pytest.fixture
def theirs(node: LiveNode) -> Iterator[LiveNode]:
    """Joe is a member of the team's, in which nobody signs in."""
    node.put("address", TEAM, opened(TEAM, WORKS, sign_in=0))
    yield node
    node.put("address", TEAM, None)


def arrives(node: LiveNode, address: str, subject: str) -> None:
    with node.smtp() as stranger:
        stranger.sendmail("far@out.example", [address], letter("far@out.example", subject, address))


def selected(box: imaplib.IMAP4_SSL, name: str) -> bool:
    """Whether it opens, for writing or not; a read-only one is as good for what comes next."""
    try:
        return box.select(name)[0] == "OK"
    except imaplib.IMAP4.readonly:
        box.is_readonly, box.state = True, "SELECTED"
        return True


def number(box: imaplib.IMAP4_SSL, subject: str) -> str:
    found: list[bytes] = []

    def there() -> bool:
        box.noop()
        found[:] = box.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        return bool(found)

    assert until(there), subject
    return found[-1].decode()


def listed(box: imaplib.IMAP4_SSL) -> set[str]:
    return {str(line).split('"/" ')[-1].strip("'\"") for line in box.list('""', '"*"')[1] if line}


def message(box: imaplib.IMAP4_SSL, which: str) -> bytes:
    return bytes(box.fetch(which, "(BODY[])")[1][0][1])  # type: ignore[index, arg-type]


def test_a_persons_is_read_and_nothing_is_changed_in_it(hers: LiveNode) -> None:
    arrives(hers, MIA, "for mia alone")
    with hers.imap(JOE) as box:
        assert f"shared/{MIA}" in listed(box) and selected(box, HERS)
        which = number(box, "for mia alone")
        assert b"Hello" in message(box, which)
        for flag in (r"\Seen", r"\Flagged", r"\Deleted"):
            box.store(which, "+FLAGS", flag)
        box.expunge()
        flags = box.fetch(which, "(FLAGS)")[1][0]
        assert flags in (b"%s (FLAGS ())" % which.encode(), b"%s (FLAGS (\\Recent))" % which.encode()), flags
        assert box.append(HERS, "", None, letter(JOE, "put in"))[0] == "NO"  # type: ignore[arg-type]
        assert box.copy(which, HERS)[0] == "NO" and box.copy(which, "INBOX")[0] == "OK"
        assert box.create(f'"shared/{MIA}/new"')[0] == "NO" and box.delete(HERS)[0] == "NO"
        assert box.rename(HERS, '"mine"')[0] == "NO"
    with hers.imap(MIA) as box:  # she does what she could before
        box.select("INBOX")
        which = number(box, "for mia alone")
        assert box.store(which, "+FLAGS", r"\Deleted")[0] == "OK" and box.expunge()[1] != [None]
        assert box.append("INBOX", "", None, letter(MIA, "her own"))[0] == "OK"  # type: ignore[arg-type]
    assert hers.evidence(f"doveadm acl rights {MIA}", {JOE: "lookup read"})


def test_members_work_in_a_shared_one(theirs: LiveNode) -> None:
    arrives(theirs, TEAM, "for the team")
    with theirs.imap(JOE) as box:
        assert f"shared/{TEAM}" in listed(box) and box.select(THEIRS)[0] == "OK"
        which = number(box, "for the team")
        assert b"Hello" in message(box, which)
        assert b"Seen" in box.fetch(which, "(FLAGS)")[1][0]  # type: ignore[operator]
        assert box.append(THEIRS, "", None, letter(JOE, "a draft"))[0] == "OK"  # type: ignore[arg-type]
        assert box.create(f'"shared/{TEAM}/done"')[0] == "OK" and f"shared/{TEAM}/done" in listed(box)
        assert box.copy(which, f'"shared/{TEAM}/done"')[0] == "OK"
        assert box.store(which, "+FLAGS", r"\Deleted")[0] == "OK" and box.expunge()[1] == [which.encode()]
        assert box.delete(THEIRS)[0] == "NO"
        assert selected(box, f'"shared/{TEAM}/done"') and number(box, "for the team") == "1"
    assert not theirs.can_sign_in(TEAM)


def test_others_see_nothing_of_it_and_no_address_makes_a_folder(hers: LiveNode, theirs: LiveNode) -> None:
    def folders() -> set[str]:
        return {str(path) for path in (*hers.config.folder.glob("mail/*/*"), *hers.config.folder.glob("*/*"))}

    with hers.imap(KIM) as box:
        box.select("INBOX")  # makes her own
        before = folders()
        assert not [name for name in listed(box) if name.startswith("shared")]
        for name in (HERS, THEIRS, f'"shared/{JOE}"', f'"shared/{MIA}/INBOX"'):
            assert not selected(box, name) and box.status(name, "(MESSAGES)")[0] == "NO"
            assert box.append(name, "", None, letter(KIM, "put in"))[0] == "NO"  # type: ignore[arg-type]
        for name in (MIA, JOE, "nobody@acme.example", "x@..", "..@..", "..", "openers@.."):
            assert box.create(f'"shared/{name}/x"')[0] == "NO", name
    assert folders() - before == set()


def test_when_it_ends_the_open_session_is_gone_and_nothing_opens(hers: LiveNode) -> None:
    box, other = hers.imap(JOE), hers.imap(KIM)
    assert selected(box, HERS)
    took = hers.put("address", MIA, mailbox(MIA))
    with pytest.raises(imaplib.IMAP4.abort):
        box.noop()
    box.shutdown()
    assert took < 8 and other.noop()[0] == "OK", "nobody else's"
    other.shutdown()
    assert hers.evidence(f"doveadm acl rights {MIA}", {})
    with hers.imap(JOE) as box:
        assert f"shared/{MIA}" not in listed(box) and not selected(box, HERS)
    assert not (hers.config.folder / "opened" / MIA).is_symlink()


def test_one_of_two_ends_and_the_other_stays(node: LiveNode) -> None:
    both = opened(TEAM, WORKS, sign_in=0)
    both["maps"]["opens"].append({"address": TEAM, "login": MIA, "rights": WORKS, "until": None})
    node.put("address", TEAM, both)
    stays = node.imap(MIA)
    assert selected(stays, THEIRS)
    node.put("address", TEAM, opened(TEAM, WORKS, sign_in=0))
    with pytest.raises(imaplib.IMAP4.abort):
        stays.noop()
    stays.shutdown()
    with node.imap(JOE) as box, node.imap(MIA) as out:
        assert selected(box, THEIRS) and not selected(out, THEIRS)
    node.put("address", TEAM, None)


def test_a_suspended_mailbox_is_opened_by_nobody(hers: LiveNode) -> None:
    hers.put("address", MIA, mailbox(MIA, sign_in=0))
    with hers.imap(JOE) as box:
        assert not selected(box, HERS)


def test_it_ends_by_its_time_while_the_control_plane_is_away(node: LiveNode) -> None:
    end = int(time.time()) + 6
    node.put("address", MIA, opened(MIA, READS, end=end))
    box, away = node.imap(JOE), node.source.folder / "away"
    assert selected(box, HERS)
    away.touch()
    try:
        time.sleep(max(0, end - time.time()))

        def gone() -> bool:
            try:
                box.noop()
            except imaplib.IMAP4.abort:
                return True
            return False

        assert until(gone, 8)
        box.shutdown()
        with node.imap(JOE) as again:
            assert f"shared/{MIA}" not in listed(again) and not selected(again, HERS)
    finally:
        away.unlink()
    node.put("address", MIA, mailbox(MIA))


def test_no_filter_files_into_anothers(theirs: LiveNode) -> None:
    upload(theirs, JOE, f'require ["fileinto"];\nfileinto "shared/{TEAM}";\n')
    try:
        arrives(theirs, JOE, "filed elsewhere")
        assert theirs.received(JOE, "filed elsewhere")
    finally:
        remove(theirs, JOE)
    with theirs.imap(JOE) as box:
        box.select(THEIRS)
        assert box.search(None, "SUBJECT", '"filed elsewhere"')[1] == [b""]
