"""What Dovecot asks the node's files, in SQL; the same for both versions but for how they spell a variable.

App passwords are machine-made with 128 bits and more, so one indexed SHA-256 finds them without a slow hash. Both
password queries give the generation of secrets.db, which the running auth is asked for.
"""

from .layout import NodeConfig
from .postfix import LIVE

GENERATION = "(SELECT v FROM canary WHERE k='gen') AS gen"


def password_query(address: str) -> str:
    """The main password. `address` is how this version spells the lower-case user name."""
    return (
        f"SELECT hash AS password, address AS user, 'main' AS cred, 'main' AS userdb_user_cred, {GENERATION} "
        f"FROM password WHERE address='{address}' AND {LIVE}"
    )


def app_query(address: str, sha256: str, protocol: str) -> str:
    """An app password, if it is for this protocol. None is for `web`: the pages take the main one alone."""
    return (
        "SELECT NULL AS password, 'y' AS nopassword, address AS user, 'app:' || cred AS cred, "
        f"'app:' || cred AS userdb_user_cred FROM app WHERE address='{address}' AND sha256='{sha256}' AND {LIVE} "
        f"AND instr(protocols, CASE '{protocol}' WHEN 'submission' THEN 'smtp' WHEN 'smtp' THEN 'smtp' "
        "WHEN 'sieve' THEN 'sieve' WHEN 'web' THEN 'web' ELSE 'imap' END) > 0"
    )


def user_query(config: NodeConfig, address: str, domain: str, local: str, protocol: str, quota: str) -> str:
    """An account: everybody for delivery, only those who may sign in for the protocols people use.

    `quota` is the SQL of this version's quota field, null for none.
    """
    return (
        f"SELECT '{config.folder}/mail/{domain}/{local}' AS home, {quota}, {GENERATION} FROM mailbox "
        f"WHERE address='{address}' AND {LIVE} AND ('{protocol}' NOT IN ('imap', 'submission', 'smtp', 'sieve') "
        "OR EXISTS (SELECT 1 FROM login WHERE login.address = mailbox.address AND sign_in = 1 "
        "AND (login.until IS NULL OR login.until > unixepoch())))"
    )


ITERATE = "SELECT address AS user FROM mailbox"
