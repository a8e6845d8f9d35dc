"""A mailbox that others open: what Dovecot needs of it, made and asked by the node's parent, which is root.

    mail/<domain>/<local part>/Maildir/dovecot-acl    one line: the group `open:<address>` and what it may
    opened/<address>                                  a link to that Maildir: no other is in anybody's list
    openers/boxes                                     which group opens which mailbox, for LIST (Dovecot's own)

Who is of that group is said at each sign-in, by maps.db (accounts.py), so none of this names who: it opens nothing by
itself and closes nothing late. `opened` is root's: a mail program names any address it likes, and Dovecot would make a
Maildir for each (CREATE, tried), by way of `..` elsewhere too.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from .accounts import OPEN
from .layout import NodeConfig

# Letters of Dovecot's rights (RFC 4314) → as doveadm calls them.
RIGHTS = {
    "l": "lookup", "r": "read", "w": "write", "s": "write-seen", "t": "write-deleted", "i": "insert", "p": "post",
    "e": "expunge", "k": "create",
}  # fmt: skip
NOBODY, NO_BOX, FAILED = 67, 68, 75

Run = Callable[[list[str], str], tuple[int, str, str]]


def named(rights: str) -> list[str]:
    """As doveadm names them, in its order; KeyError for one that is never given."""
    return [RIGHTS[letter] for letter in sorted(rights, key=list(RIGHTS).index)]


def let(config: NodeConfig, run: Run, address: str, rights: str) -> dict[str, Any]:
    """Others open this mailbox with these rights, letters of RIGHTS; nobody does, if there are none. {"code": 0}."""
    local, at, domain = address.rpartition("@")
    if not at or "/" in address or local in ("", ".", "..") or domain in ("", ".", "..") or set(rights) - RIGHTS.keys():
        return {"error": "no such mailbox, or no such right"}
    link, group = config.folder / "opened" / address, f"group={OPEN}{address}"
    acl = ["doveadm", "-c", str(config.dovecot_conf), "acl"]
    if not rights:
        with suppress(FileNotFoundError):
            link.unlink()
        code, _, said = run([*acl, "delete", "-u", address, "INBOX", group], "")
        return {"code": 0 if code == NOBODY else code, "said": said[-300:]}  # removed; and so is what it let in
    for command in (["set", "-u", address, "INBOX", group, *named(rights)], ["recalc", "-u", address]):
        code, _, said = run([*acl, *command], "")
        if code:
            return {"code": code, "said": said[-300:]}
    target = f"../mail/{domain}/{local}/Maildir"
    if not link.is_symlink() or str(link.readlink()) != target:
        with suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(target)
    return {"code": 0}


def opened(config: NodeConfig, run: Run, pairs: Iterable[Sequence[str]]) -> dict[str, Any]:
    """For each (address, login): what who signs in by the login may do in that mailbox's INBOX, as doveadm names it,
    empty for nothing. {"code": 0, "rows": […]}, or the code of what failed."""
    rows: list[str] = []
    for address, login in pairs:
        where = ["-u", login, f"shared/{address}"]
        code, out, said = run(["doveadm", "-c", str(config.dovecot_conf), "-f", "tab", "acl", "rights", *where], "")
        lines = out.splitlines()
        if code not in (0, NOBODY, NO_BOX) or (code == 0 and len(lines) < 2):
            return {"code": code or FAILED, "said": said[-300:]}
        rows.append(lines[1].strip() if code == 0 else "")
    return {"code": 0, "rows": rows}
