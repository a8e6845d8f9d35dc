"""What Dovecot asks the node's files, in SQL; the same for both versions but for how they spell a variable.

App passwords are machine-made with 128 bits and more, so one indexed SHA-256 finds them without a slow hash. Each is
for the protocols it names alone, and never for the web, where it could make others. The query of the main password
gives the generation of secrets.db, which the running auth is asked for.
"""

from .layout import NodeConfig
from .postfix_maps import LIVE

# Processes that speak TLS and take passwords: ready, at most, and connections of one. Each needs three descriptors.
LOGIN = {"login_ready": 2, "login_processes": 16, "login_clients": 100}
GENERATION = "(SELECT v FROM canary WHERE k='gen') AS gen"
# As Dovecot calls a protocol → as an app password names it; Postfix's SASL is submission by another door.
NAMED = {"imap": "imap", "submission": "submission", "smtp": "submission", "sieve": "managesieve"}
# Folders that everybody has.
FOLDERS = "".join(
    f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}\n"
    for name in ("Drafts", "Junk", "Sent", "Trash")
)
OPEN_WORDS = """\
# Mailboxes of others that one opens (opening.py), by groups of the sign-in and never by who one is. The plug-in is
# loaded for filters too, so that none files into another's. Nobody sets rights by IMAP: imap_acl is not there."""
OPEN_NOW = LIVE.replace("until", "opens.until")
OPEN = "open:"  # and a mailbox's address: the group that may open it
# Where a password is asked for that opens no mail: our own pages, and the look-up by which we read back.
NO_MAIL = ("web", "doveadm")


def password_query(address: str, protocol: str, more: str = "") -> str:
    """The main password; where app passwords alone are for mail, it opens no mail. `address` is how this version spells
    the lower-case user name; `more`: a condition of its own."""
    return (
        f"SELECT hash AS password, address AS user, 'main' AS cred, 'main' AS userdb_user_cred, {GENERATION} "
        f"FROM password WHERE address='{address}' AND {LIVE} "
        f"AND (coalesce(app_only, 0) = 0 OR '{protocol}' IN {NO_MAIL}) {more}".rstrip()
    )


def app_query(address: str, sha256: str, protocol: str) -> str:
    """An app password, if it is for this protocol."""
    named = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in NAMED.items())
    return (
        "SELECT NULL AS password, 'y' AS nopassword, address AS user, 'app:' || cred AS cred, "
        f"'app:' || cred AS userdb_user_cred FROM app WHERE address='{address}' AND sha256='{sha256}' AND {LIVE} "
        f"AND instr(' ' || protocols || ' ', ' ' || CASE '{protocol}' {named} ELSE 'none' END || ' ') > 0"
    )


def user_query(
    config: NodeConfig, address: str, domain: str, local: str, protocol: str, more: str, *, asks_owner: bool = False
) -> str:
    """An account: everybody for delivery, only those who may sign in for the protocols people use.

    `more` is the SQL of this version's own fields. `asks_owner`: for a mailbox that somebody opens, this version asks
    for its account by the protocol they came by (tried on 2.4.1): then it is there though nobody signs in to it.
    """
    opens = f"SELECT 1 FROM opens WHERE opens.address = mailbox.address AND {OPEN_NOW}"
    opened = f"OR ('{protocol}' = 'imap' AND EXISTS ({opens})) " if asks_owner else ""
    return (
        f"SELECT '{config.folder}/mail/{domain}/{local}' AS home, {more}, {GENERATION}, {_opens(protocol)} "
        f"FROM mailbox WHERE address='{address}' AND {LIVE} "
        f"AND ('{protocol}' NOT IN ('imap', 'submission', 'smtp', 'sieve') {opened}"
        "OR EXISTS (SELECT 1 FROM login WHERE login.address = mailbox.address AND sign_in = 1 "
        "AND (login.until IS NULL OR login.until > unixepoch())))"
    )


def _opens(protocol: str) -> str:
    """The groups of who signs in: one for each mailbox that they may open now. Nobody files mail by them, nor sends."""
    return (
        f"CASE WHEN '{protocol}' IN ('imap', 'doveadm') THEN (SELECT group_concat('{OPEN}' || opens.address) "
        f"FROM opens WHERE opens.login = mailbox.address AND {OPEN_NOW}) END AS acl_groups"
    )


ITERATE = "SELECT address AS user FROM mailbox"
