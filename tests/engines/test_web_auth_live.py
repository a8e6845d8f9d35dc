"""The real Dovecot, asked by the pages' socket: its yes, its no, who may ask, and what it takes for whose failure."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys

import pytest
from live_node import CODE, MIA, PASSWORD, LiveNode

from postroom.engines.dovecot_auth import NotAnswered, is_password

pytestmark = pytest.mark.server
ASK = "import sys; from pathlib import Path; from postroom.engines.dovecot_auth import is_password as f; " \
      "print(f(Path(sys.argv[1]), 'mia@acme.example', 'x', ''))"  # fmt: skip


def asks(node: LiveNode, password: str, address: str = MIA) -> bool:
    return is_password(node.config.web_auth, address, password, node.client)


def test_it_says_yes_to_the_password_alone(node: LiveNode) -> None:
    assert asks(node, PASSWORD) and asks(node, PASSWORD, MIA.upper())
    for wrong in ("", PASSWORD + " ", "{PLAIN}" + PASSWORD, "guessed\t1", "x" * 1024):
        assert not asks(node, wrong)
    assert not asks(node, PASSWORD, "nobody@acme.example") and not asks(node, PASSWORD, "mia@acme.example*joe")


def test_a_password_that_looks_like_a_hash_is_itself(node: LiveNode) -> None:
    literal, address = "{PLAIN}a few plain words", "lit@acme.example"
    node.put_mailbox(address, password=literal)
    assert asks(node, literal, address) and not asks(node, "a few plain words", address)


def test_what_ends_by_the_node_ends_here(node: LiveNode) -> None:
    address = "gone@acme.example"
    node.put_mailbox(address)
    assert asks(node, PASSWORD, address)
    node.put_mailbox(address, sign_in=0)
    assert not asks(node, PASSWORD, address)


def test_no_app_password_is_the_mailboxs(node: LiveNode) -> None:
    """Put into the node's file past everything: Dovecot does not take it for `web`."""
    import hashlib
    import sqlite3

    typed = secrets.token_hex(16)
    row = (MIA, hashlib.sha256(typed.encode()).hexdigest())
    with sqlite3.connect(node.config.database("secrets")) as files:
        columns = [one[1] for one in files.execute("PRAGMA table_info(app)")]
        values = {"address": row[0], "sha256": row[1], "cred": "1", "protocols": "imap smtp sieve"}
        named = [name for name in columns if name in values]
        files.execute(f"INSERT INTO app ({', '.join(named)}) VALUES ({', '.join('?' * len(named))})",
                      [values[name] for name in named])  # fmt: skip
    assert node.can_sign_in(MIA, typed), "it is one for IMAP"
    assert not asks(node, typed)


def test_only_the_pages_user_may_ask(node: LiveNode) -> None:
    folder = node.config.web_auth.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750 and folder.group() == "postroom"
    found = {}
    for user in ("postroom", "postroom-mail", "postroom-milter", "nobody"):
        done = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={'nogroup' if user == 'nobody' else user}", "--init-groups",
             sys.executable, "-c", ASK, str(node.config.web_auth)],
            env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        found[user] = done.stdout.strip() or ("refused" if "Permission denied" in done.stderr else done.stderr)
    assert found == {"postroom": "False", "postroom-mail": "refused", "postroom-milter": "refused", "nobody": "refused"}


def test_one_that_does_not_answer_is_no_yes(node: LiveNode) -> None:
    with pytest.raises(NotAnswered):
        is_password(node.config.web_auth.with_name("nothing"), MIA, PASSWORD, "")
