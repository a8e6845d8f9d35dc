"""What breaks on a node, one thing after another: mail goes on or waits, and nothing is said that is not so."""

import os
import re
import signal
import smtplib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from live_node import JOE, MIA, LiveNode, letter, mailbox, named, until

from postroom.host import processes

pytestmark = pytest.mark.server


def test_the_agent_dies_and_mail_goes_on(node: LiveNode) -> None:
    pid = node.pid("agent")
    os.kill(pid, signal.SIGKILL)
    assert node.can_sign_in(MIA)
    with node.smtp() as line:
        line.sendmail("far@out.example", [MIA], letter("far@out.example", "meanwhile"))
    assert until(lambda: node.pid("agent") not in (0, pid))
    node.put_mailbox("later@acme.example")
    assert node.can_sign_in("later@acme.example")
    assert node.received(MIA, "meanwhile")


def test_the_milter_dies_and_nothing_leaves_unsigned(node: LiveNode) -> None:
    pid = node.pid("milter")
    os.kill(pid, signal.SIGSTOP)  # neither dead nor answering
    try:
        with node.submission(MIA) as line:
            line.sock.settimeout(3)
            with pytest.raises((smtplib.SMTPException, OSError)):
                line.sendmail(MIA, [JOE], letter(MIA, "unsigned"))
    except (smtplib.SMTPException, OSError):
        pass
    finally:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: node.pid("milter") not in (0, pid))

    def sent() -> bool:
        try:
            with node.submission(MIA) as line:
                return line.sendmail(MIA, [JOE], letter(MIA, "signed again")) == {}
        except smtplib.SMTPException:
            return False

    assert until(sent)
    assert all(b"DKIM-Signature" in one for one in node.received(JOE, "signed again"))
    assert node.received(JOE, "unsigned", within=0.1) == []


def test_a_heartbeat_says_what_runs(node: LiveNode) -> None:
    def well() -> bool:
        beats = node.source.reported("heartbeat")
        return bool(beats) and all(beats[-1][name] for name in ("postfix", "dovecot", "milter", "agent"))

    assert until(well, 20), node.source.reported("heartbeat")[-1]
    beat = node.source.reported("heartbeat")[-1]
    assert beat["configuration"] == {"postfix": True, "dovecot": True}
    assert beat["maps_generation"] > 1
    greeted = [one for one in node.source.reported("heartbeat") if "smtp" in one]
    assert greeted and greeted[-1]["smtp"]["text"].startswith("220 mx.postroom.example")
    assert greeted[-1]["imap"]["ok"]


def test_a_row_no_map_may_hold_is_told_and_not_written(node: LiveNode) -> None:
    todo = node.source.put("address", named("bad"), mailbox("../../up@acme.example"))
    assert until(lambda: any(row["todo"] == todo for row in node.source.reported("waiting")))
    row = next(row for row in node.source.reported("waiting") if row["todo"] == todo)
    assert row["finding"] == "refused" and "up@acme.example" in row["why"]
    assert node.source.evidence(todo) is None
    node.source.ack([(todo, [])])


def waits(node: LiveNode, todo: int, within: float = 12) -> dict[str, object]:
    """What the node reports about a row it does not acknowledge."""
    found: list[dict[str, object]] = []

    def told() -> bool:
        found[:] = [row for row in node.source.reported("waiting") if row["todo"] == todo]
        return bool(found)

    assert until(told, within), node.log("agent")[-2000:]
    assert node.source.evidence(todo) is None
    return found[-1]


def test_a_dovecot_that_does_not_answer_is_not_known(node: LiveNode) -> None:
    auth = [one for one in processes.all_of_them() if one.state != "Z" and program(one.pid) == "dovecot/auth"
            and parent(one.pid) == master(node)]  # fmt: skip
    assert auth
    for one in auth:
        os.kill(one.pid, signal.SIGSTOP)
    try:
        todo = node.source.put("address", named("stopped@acme.example"), mailbox("stopped@acme.example"))
        row = waits(node, todo, 30)
        assert row["finding"] == "not known"
    finally:
        for one in auth:
            os.kill(one.pid, signal.SIGCONT)
    assert until(lambda: node.source.evidence(todo) is not None, 40), node.log("agent")[-2000:]


def test_a_postfix_on_an_old_map_never_agrees(node: LiveNode) -> None:
    """The file is put back under it, as a careless restore would: it answers from the one it has open."""
    path, agent = node.config.database("maps"), node.pid("agent")
    os.kill(agent, signal.SIGSTOP)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).rename(path.with_name(f"old.db{end}"))
    restored(path.with_name("old.db"), path)
    os.kill(agent, signal.SIGKILL)
    assert until(lambda: node.config.ready_file.read_text() != f"{agent}\n", 15)

    todo = node.source.put("address", named("lied@acme.example"), mailbox("lied@acme.example"))
    # Postfix, or one of Dovecot's workers, has not read that far; or it says that there is no such account.
    assert waits(node, todo, 20)["finding"] in ("not known", "differs")
    assert not until(lambda: node.source.evidence(todo) is not None, 3)
    for pid_file in ("postfix/spool/pid/master.pid", "dovecot/run/master.pid"):  # the parent starts them again
        os.kill(int((node.config.folder / pid_file).read_text()), signal.SIGTERM)
    assert until(lambda: node.source.evidence(todo) is not None, 40), node.log("agent")[-2000:]
    assert node.can_sign_in("lied@acme.example")


def restored(old: Path, new: Path) -> None:
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(new)) as target:
        source.backup(target)
    os.chown(new, new.parent.stat().st_uid, new.parent.stat().st_gid)
    new.chmod(0o640)


def program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def parent(pid: int) -> int:
    found = re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def master(node: LiveNode) -> int:
    return int((node.config.folder / "dovecot/run/master.pid").read_text())
