"""Nobody is left out of the matrix: every role, and every place where somebody is let in, has a principal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from principals import CUSTOM, NAMED, PRINCIPALS

from postroom.access.roles import RANK, ROLES

SRC = Path(__file__).parents[2] / "src" / "postroom"
LETS_IN = {"login", "alogin", "perform_login"}  # of the libraries, under whatever name a module has them
ASKS = {"session_of", "token_of", "signed_in"}  # of ours: whose a token, or a login, is

# Where somebody becomes somebody → who of the principals comes that way.
AT_DOORS = {
    ("web/signing.py", "enter"): ("mailbox owner's link", "recovery link", "owner"),
    ("web/mailbox_door.py", "entered"): ("mailbox owner",),
    ("web/sso.py", "_in"): ("operator of A",),
    ("web/owner.py", "_operator"): ("operator of A",),  # asks who it is, lets nobody in: the link is not theirs to use
    ("api/door.py", "_by_token"): ("token that reads A", "ended token", "token from elsewhere"),
    ("api/door.py", "authenticate"): ("operator of A", "expired session", "revoked session", "terminal's code"),
    ("access/devices.py", "collect"): ("terminal's code",),
    ("queries/sessions.py", "of_person"): ("suspended person",),  # what of theirs would be let in; lets nobody in
    ("web/door.py", "not_yet"): ("suspended person", "operator without second factor", "anonymous"),
}
IN_THE_DATABASE = {
    "postroom_enter": ("client admin of A", "nobody's role"),
    "postroom_enter_change": ("operator of A",),
    "postroom_enter_link": ("mailbox owner's link", "notice's link", "recovery link"),
    "postroom_enter_owner": ("mailbox owner",),
    "postroom_session": ("operator of A", "expired session"),
    "postroom_token": ("token that writes A", "token of one domain of A"),
    "postroom_signed_in": ("suspended person",),
}
WAYS = {
    "AUTHENTICATION_BACKENDS": [
        "allauth.account.auth_backends.AuthenticationBackend",
        "postroom.web.mailbox_door.Owners",
    ],
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
}


def test_every_role_has_somebody() -> None:
    held = {role for one in PRINCIPALS for role in one.roles.values()}
    assert held == {*ROLES, CUSTOM} and set(RANK) == set(ROLES)
    assert len(NAMED) == len(PRINCIPALS) >= 14


def doors(root: Path) -> Iterator[tuple[str, str]]:
    """(file, function) of every place in the code that signs somebody in, or asks the database who a token is."""
    for path in sorted(root.rglob("*.py")):
        tree = ast.parse(path.read_text())
        taken = [one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and _library(one.module or "")]
        known = {name.asname or name.name for one in taken for name in one.names if name.name in LETS_IN}
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            called = {_name(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)}
            if called & (known | ASKS):
                yield path.relative_to(root).as_posix(), function.name


def _library(module: str) -> bool:
    return module.startswith(("django.contrib.auth", "allauth"))


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def entrances(sql: str) -> set[str]:
    """Functions of the database that say who somebody is, or set what a transaction sees."""
    bodies = re.split(r"CREATE (?:OR REPLACE )?FUNCTION ", sql)
    heads = {body.split("(")[0]: body for body in bodies[1:]}
    return {
        name for name, body in heads.items()
        if "set_config('postroom.person'" in body or "purpose = 'session'" in body or "purpose = 'token'" in body
        or "FROM people p WHERE p.id = who" in body
    }  # fmt: skip


def test_every_way_to_sign_in_has_somebody(tmp_path: Path) -> None:
    assert set(doors(SRC)) == set(AT_DOORS)
    assert entrances((SRC / "sql/install.sql").read_text()) == set(IN_THE_DATABASE)
    assert {name: getattr(settings, name) for name in WAYS} == WAYS
    for names in (*AT_DOORS.values(), *IN_THE_DATABASE.values()):
        assert set(names) <= set(NAMED)
    more = "from django.contrib.auth import login as enters\ndef provisioned(request, who):\n    enters(request, who)\n"
    (tmp_path / "scim.py").write_text(more)
    assert list(doors(tmp_path)) == [("scim.py", "provisioned")], "one more is found"
    one = "CREATE OR REPLACE FUNCTION postroom_enter_scim(t text) AS $$ set_config('postroom.person', '', true) $$"
    assert entrances(one) == {"postroom_enter_scim"}
