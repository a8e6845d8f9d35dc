"""What counts as evidence: answers of daemons in, a finding out. Daemons are played."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from live_node import mailbox

from postroom.engines import asking, expected, probe, read_allowed, read_back, read_opens, read_tokens
from postroom.engines.asking import Answer, ParentAway
from postroom.engines.doveadm import DoveadmAway
from postroom.engines.layout import NodeConfig
from postroom.engines.read_back import ReadBack, Round
from postroom.engines.source import Compiled, Todo

MIA = "mia@acme.example"
CONFIG = NodeConfig("mx1", Path("/nowhere"), "127.0.0.1")
WRITTEN = {"maps": 7, "secrets": 5, "keys": 3}
ROUTES = ("mailbox", "route", "sender")


class Daemons:
    """Truthful ones that have read everything; each test breaks one thing."""

    def __init__(self) -> None:
        self.maps: dict[str, dict[str, str]] = {name: {MIA: MIA} for name in ROUTES}
        self.maps |= {"canary": {"gen": "7"}, "domain": {"acme.example": "acme.example"}}
        self.users: dict[str, Answer] = {MIA: {"gen": "7", "home": "/m"}}
        self.logins: dict[str, Answer] = {MIA: {"gen": "5"}, CONFIG.system_login: {"gen": "5"}}
        self.code = 0
        self.postfix_code = 0
        self.sessions: dict[str, list[str]] = {}
        self.rcpt = "250 2.1.5 Ok"
        self.milter: Answer = {"maps": 7, "keys": 3, "signs": {}}
        self.away = False
        self.allows: list[list[str]] = []
        self.never: list[list[str]] = []
        self.apps: dict[str, set[str]] = {}
        self.ending: dict[str, str] = {}
        self.consents: dict[str, set[str]] = {}
        self.opened: dict[str, str] = {}
        self.let: list[tuple[str, str]] = []
        self.let_code = 0
        self.guard: Answer = {"maps": 7, "keys": {}}

    def ask(self, config: NodeConfig, question: dict[str, Any], timeout: float = 30) -> Answer:
        if self.away:
            raise ParentAway("gone")
        if question["ask"] == "map":
            found = {key: value for key, value in self.maps[question["map"]].items() if key in question["keys"]}
            return {"code": self.postfix_code, "found": found} if not self.postfix_code else {"code": self.postfix_code}
        if question["ask"] == "let":
            self.let.append((question["address"], question["rights"]))
            return {"code": self.let_code}
        if question["ask"] == "opened":
            assert len(question["pairs"]) <= 20
            return {"code": self.code, "rows": [self.opened.get(login, "") for _, login in question["pairs"]]}
        rows = self.users if question["ask"] == "user" else self.logins
        answers = [rows.get(address) for address in question["addresses"]]
        code = self.code or (asking.GONE if None in answers else 0)
        return {"code": code, "rows": answers} if code in (0, asking.GONE) else {"code": code}

    def who(self, addresses: list[str]) -> dict[str, list[str]]:
        if self.away:
            raise DoveadmAway("gone")
        return {address: found for address, found in self.sessions.items() if address in addresses}


@pytest.fixture
def daemons(monkeypatch: pytest.MonkeyPatch) -> Daemons:
    these = Daemons()
    monkeypatch.setattr(asking, "ask", these.ask)
    monkeypatch.setattr(read_tokens, "asked", lambda config, question: these.guard)
    monkeypatch.setattr(read_back, "milter_status", lambda config, domains=(), behalf=(): these.milter)
    said = lambda config, question: these.milter | {"allowed": these.allows, "forbidden": these.never}  # noqa: E731
    monkeypatch.setattr(read_allowed, "milter_said", said)
    monkeypatch.setattr(
        probe, "recipients", lambda address, port, known, unknown=(): dict.fromkeys([*known, *unknown], these.rcpt)
    )
    return these


def asked(daemons: Daemons, compiled: Compiled | None, gone: expected.Gone | None = None) -> ReadBack:
    todo = Todo(1, "address", uuid4(), None, compiled)
    wanted = [expected.of(todo, gone or {})]
    (result,) = Round(
        CONFIG, daemons, WRITTEN, wanted, apps=daemons.apps, consents=daemons.consents, ending=daemons.ending  # type: ignore[arg-type]
    ).run()  # fmt: skip
    return result


GONE = {
    "mailbox": [(MIA, 100, None)],
    "route": [(MIA, MIA, None)],
    "sender": [(MIA, MIA, None)],
    "login": [(MIA, 1, 0, None)],
    "password": [(MIA, "h", None)],
}


def emptied(daemons: Daemons) -> Daemons:
    for name in ROUTES:
        daemons.maps[name] = {}
    daemons.users = {}
    del daemons.logins[MIA]
    return daemons


def test_what_is_served_agrees_and_says_who_was_asked(daemons: Daemons) -> None:
    found = asked(daemons, mailbox(MIA))
    assert (found.finding, found.why) == ("agrees", [])
    assert {"question", "answer", "server", "at"} == set(found.evidence[0])
    servers = {one["server"].split(" at ")[0] for one in found.evidence}
    assert servers == {
        "postfix proxymap", "postfix smtpd", "dovecot auth", "dovecot anvil", "secrets.db", "maps.db", "milter",
    }  # fmt: skip


def test_what_is_gone_agrees(daemons: Daemons) -> None:
    assert asked(emptied(daemons), None, GONE).finding == "agrees"


BREAKS: dict[str, tuple[str, dict[str, Any]]] = {
    "a map without it": ("differs", {"maps.sender": {}}),
    "a map with another answer": ("differs", {"maps.route": {MIA: "joe@acme.example"}}),
    "an account that is not there": ("differs", {"users": {}}),
    "a password that is not there": ("differs", {"logins": {CONFIG.system_login: {"gen": "5"}}}),
    "RCPT refused": ("differs", {"rcpt": "550 5.1.1 unknown"}),
    "Postfix on an old map": ("not known", {"maps.canary": {"gen": "6"}}),
    "Postfix without a generation": ("not known", {"maps.canary": {}}),
    "Postfix hanging": ("not known", {"postfix_code": asking.TIMED_OUT}),
    "Dovecot on an old map": ("not known", {"users": {MIA: {"gen": "6", "home": "/m"}}}),
    "Dovecot on old secrets": ("not known", {"logins": {MIA: {"gen": "4"}, CONFIG.system_login: {"gen": "4"}}}),
    "Dovecot's database failing": ("not known", {"code": asking.UNAVAILABLE}),
    "Dovecot hanging": ("not known", {"code": asking.TIMED_OUT}),
    "the milter behind": ("not known", {"milter": {"maps": 6, "keys": 3, "signs": {}}}),
    "the milter away": ("not known", {"milter": {"error": "refused"}}),
    "nobody to ask": ("not known", {"away": True}),
}


def broken(daemons: Daemons, changes: dict[str, Any]) -> Daemons:
    for name, value in changes.items():
        if name.startswith("maps."):
            daemons.maps[name.removeprefix("maps.")] = value
        else:
            setattr(daemons, name, value)
    return daemons


@pytest.mark.parametrize("finding, changes", BREAKS.values(), ids=BREAKS)
def test_anything_less_does_not_agree(daemons: Daemons, finding: str, changes: dict[str, Any]) -> None:
    found = asked(broken(daemons, changes), mailbox(MIA))
    assert found.finding == finding
    assert found.why


STAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "a route still there": ("differs", {"maps.route": {MIA: MIA}}),
    "an account still there": ("differs", {"users": {MIA: {"gen": "7", "home": "/m"}}}),
    "a password still there": ("differs", {"logins": {MIA: {"gen": "5"}, CONFIG.system_login: {"gen": "5"}}}),
    "a session still there": ("differs", {"sessions": {MIA: ["imap"]}}),
    "75 is not gone": ("not known", {"code": asking.UNAVAILABLE}),
    "Postfix on an old map": ("not known", {"maps.canary": {"gen": "6"}}),
}


@pytest.mark.parametrize("finding, changes", STAYS.values(), ids=STAYS)
def test_what_should_be_gone_and_is_not(daemons: Daemons, finding: str, changes: dict[str, Any]) -> None:
    assert asked(broken(emptied(daemons), changes), None, GONE).finding == finding


def key(selector: str, algorithm: str = "rsa-2048") -> Compiled:
    row = {"domain": "acme.example", "selector": selector, "algorithm": algorithm, "sealed": "x", "since": 100}
    return {"keys": {"key": [row]}}


def signing(*keys: tuple[str, str, int]) -> list[list[str | int]]:
    return [list(one) for one in keys]


OTHER = ("e1", "ed25519", 90)


@pytest.mark.parametrize("signs, finding", [
    (signing(("s1", "rsa", 100)), "agrees"), (signing(("s1", "rsa", 100), OTHER), "agrees"),
    (signing(("s2", "rsa", 130)), "agrees"), (signing(("s2", "rsa", 90), OTHER), "differs"), ([], "differs"),
    (None, "differs"), ("unusable: no", "differs"),
])  # fmt: skip
def test_a_key_signs_or_a_newer_one_of_its_algorithm(daemons: Daemons, signs: Any, finding: str) -> None:
    daemons.milter["signs"] = {"acme.example": signs}
    assert asked(daemons, key("s1")).finding == finding


def test_an_ed25519_key_waits_for_the_rsa_key_that_it_signs_beside(daemons: Daemons) -> None:
    daemons.milter["signs"] = {"acme.example": []}
    assert asked(daemons, key("e2", "ed25519")).finding == "agrees"
    daemons.milter["signs"] = {"acme.example": signing(("s1", "rsa", 100))}
    assert asked(daemons, key("e2", "ed25519")).finding == "differs"


def test_a_key_that_is_gone(daemons: Daemons) -> None:
    gone: expected.Gone = {"key": [("acme.example", "s1", "rsa-2048", "x", 100)]}
    daemons.milter["signs"] = {"acme.example": signing(("s1", "rsa", 100))}
    assert asked(daemons, None, gone).finding == "differs"
    daemons.milter["signs"] = {"acme.example": signing(("s2", "rsa", 100))}
    assert asked(daemons, None, gone).finding == "agrees"


BEHALF = {"sender": MIA, "login": "leo@acme.example"}


def test_who_writes_on_whose_behalf_is_answered_by_the_milter(daemons: Daemons) -> None:
    box = mailbox(MIA)
    box["maps"]["behalf"] = [BEHALF]
    assert asked(daemons, box).finding == "differs"
    daemons.milter["behalf"] = [[MIA, "leo@acme.example"]]
    found = asked(daemons, box)
    assert found.finding == "agrees", found.why
    (said,) = [one["answer"] for one in found.evidence if one["question"] == f"milter behalf of {MIA}"]
    assert said == ["leo@acme.example"]
    box["maps"]["behalf"] = []
    gone: expected.Gone = {"behalf": [(MIA, "leo@acme.example", None)]}
    assert asked(daemons, box, gone).finding == "differs"
    box["maps"]["behalf"] = [{**BEHALF, "until": 1}]
    assert asked(daemons, box).finding == "differs"
    daemons.milter["behalf"] = []
    assert asked(daemons, box).finding == "agrees"


LEO = "leo@acme.example"
OPENS = {"address": MIA, "login": LEO, "rights": "lr"}


def test_who_opens_a_mailbox_is_answered_by_dovecot(daemons: Daemons) -> None:
    box = mailbox(MIA)
    box["maps"]["opens"] = [OPENS]
    assert asked(daemons, box).finding == "differs" and daemons.let == [(MIA, "lr")]
    daemons.opened = {LEO: "lookup read"}
    found = asked(daemons, box)
    assert found.finding == "agrees", found.why
    (said,) = [one["answer"] for one in found.evidence if one["question"] == f"doveadm acl rights {MIA}"]
    assert said == {LEO: "lookup read"}
    daemons.opened = {LEO: "lookup read insert"}
    assert asked(daemons, box).finding == "differs", "more than it should"
    gone: expected.Gone = {"opens": [(MIA, LEO, "lr", None)]}
    box["maps"]["opens"] = []
    assert asked(daemons, box, gone).finding == "differs" and daemons.let[-1] == (MIA, "")
    box["maps"]["opens"] = [{**OPENS, "until": 1}]
    assert asked(daemons, box).finding == "differs"
    daemons.opened = {}
    assert asked(daemons, box).finding == "agrees"


def test_many_members_are_asked_about_in_parts_and_many_mailboxes_in_turns(
    daemons: Daemons, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [f"m{n}@acme.example" for n in range(45)]
    box = mailbox(MIA)
    box["maps"]["opens"] = [{**OPENS, "login": one} for one in members]
    daemons.opened = dict.fromkeys(members, "lookup read")
    found = asked(daemons, box)
    assert found.finding == "agrees", found.why
    monkeypatch.setattr(read_opens, "MOST", 0)
    assert asked(daemons, box).finding == "not known"


def test_what_dovecot_did_not_say_of_who_opens_a_mailbox_is_not_known(daemons: Daemons) -> None:
    box = mailbox(MIA)
    box["maps"]["opens"] = [OPENS]
    daemons.opened, daemons.let_code = {LEO: "lookup read"}, 75
    assert asked(daemons, box).finding == "not known"
    daemons.let_code, daemons.code = 0, 75
    assert asked(daemons, box).finding == "not known"


def test_who_opened_a_mailbox_and_has_sessions_of_before_is_not_out_yet(daemons: Daemons) -> None:
    todo = Todo(1, "address", uuid4(), None, mailbox(MIA))
    wanted = [expected.of(todo, {"opens": [(MIA, LEO, "lr", None)]})]
    (result,) = Round(CONFIG, daemons, WRITTEN, wanted, [LEO]).run()  # type: ignore[arg-type]
    assert result.finding == "differs" and f"{LEO} still has sessions of before" in result.why


def test_a_row_past_its_time_must_be_gone(daemons: Daemons) -> None:
    compiled = mailbox(MIA, until=1)
    del daemons.logins[MIA]
    assert asked(daemons, compiled).finding == "differs"  # the sender is still answered
    daemons.maps["sender"] = {}
    assert asked(daemons, compiled).finding == "agrees"


@pytest.mark.parametrize("out, said, values", [
    ("7\n", "", ["7", None]),
    ("7\n\n7\n", "", ["7", "7"]),
    ("\n", "a", [None, None]),
    ("7\n", "ambiguous", None),
])  # fmt: skip
def test_accounts_are_told_apart_or_not_at_all(out: str, said: str, values: list[str | None] | None) -> None:
    missing = {"a": ["x", "y"], "": ["y"] if values == ["7", None] else [], "ambiguous": []}[said]
    named = "".join(f"userdb lookup: user {one} doesn't exist\n" for one in missing)
    assert asking._by_address(["x", "y"], out, named) == values


# App passwords, which no look-up shows


def with_apps(*creds: str) -> Compiled:
    compiled = mailbox(MIA)
    rows = [{"address": MIA, "cred": cred, "sha256": cred * 32, "protocols": "imap"} for cred in creds]
    compiled["secrets"]["app"] = rows
    return compiled


def test_app_passwords_are_in_what_auth_has_read(daemons: Daemons) -> None:
    daemons.apps = {MIA: {"a1"}}
    found = asked(daemons, with_apps("a1"))
    assert found.finding == "agrees"
    assert {"app passwords of mia@acme.example": ["a1"]}.items() <= {
        one["question"]: one["answer"] for one in found.evidence if isinstance(one["answer"], list)
    }.items()


@pytest.mark.parametrize("here", [set(), {"a1", "b2"}, {"b2"}])
def test_app_passwords_that_are_not_those(daemons: Daemons, here: set[str]) -> None:
    daemons.apps = {MIA: here}
    assert asked(daemons, with_apps("a1")).finding == "differs"


def test_of_app_passwords_nothing_is_known_before_auth_has_read_them(daemons: Daemons) -> None:
    daemons.apps = {MIA: {"a1"}}
    daemons.logins[CONFIG.system_login] = {"gen": "4"}
    found = asked(daemons, with_apps("a1"))
    assert found.finding == "not known"
    assert not [one for one in found.evidence if one["question"].startswith("app passwords")]


def test_one_that_ended_may_have_no_session(daemons: Daemons) -> None:
    gone = {"app": [(MIA, "a1", "x", "imap", 0, None)]}
    assert asked(daemons, with_apps(), gone).finding == "agrees"
    daemons.ending = {"a1": MIA}
    assert asked(daemons, with_apps(), gone).finding == "differs"
    assert asked(daemons, None, gone).finding == "differs"


def with_consents(*creds: str) -> Compiled:
    compiled = mailbox(MIA)
    compiled["maps"]["consent"] = [
        {"address": MIA, "cred": cred, "subject": "m", "protocols": "imap"} for cred in creds
    ]
    return compiled


@pytest.mark.parametrize("here", [set(), {"a1", "b2"}, {"b2"}])
def test_consents_that_are_not_those(daemons: Daemons, here: set[str]) -> None:
    daemons.consents = {MIA: {"a1"}}
    assert asked(daemons, with_consents("a1")).finding == "agrees"
    daemons.consents = {MIA: here}
    assert asked(daemons, with_consents("a1")).finding == "differs"


@pytest.mark.parametrize("said", [{"error": "away"}, {"maps": 6, "keys": {}}])
def test_of_consents_nothing_is_known_before_who_looks_at_tokens_has_read_them(daemons: Daemons, said: Answer) -> None:
    daemons.consents, daemons.guard = {MIA: {"a1"}}, said
    assert asked(daemons, with_consents("a1")).finding == "not known"
    daemons.consents = {}
    gone = {"consent": [(MIA, "a1", "m", "imap", 0, None)]}
    assert asked(daemons, with_consents(), gone).finding == "not known"
    assert asked(daemons, mailbox(MIA)).finding == "agrees", "who lets no app in waits for nobody"


def test_a_consent_that_ended_may_have_no_session(daemons: Daemons) -> None:
    gone = {"consent": [(MIA, "a1", "m", "imap", 0, None)]}
    daemons.ending = {"oauth:a1": MIA}
    assert asked(daemons, with_consents(), gone).finding == "differs"


def test_a_key_of_tokens_is_answered_by_who_takes_them(daemons: Daemons) -> None:
    row = {"kid": "k", "public": "p", "issuer": "i", "until": None}
    assert asked(daemons, {"maps": {"token_key": [row]}}).finding == "differs"
    daemons.guard = {"maps": 7, "keys": {"k": "p"}}
    found = asked(daemons, {"maps": {"token_key": [row]}})
    assert (found.finding, found.evidence[-1]["answer"]) == ("agrees", "p")
    assert asked(daemons, {"maps": {"token_key": [row | {"until": 5}]}}).finding == "differs", "its time is over"
    assert asked(daemons, None, {"token_key": [("k", "p", "i", None)]}).finding == "differs"
    daemons.guard = {"maps": 7, "keys": {"k": "another"}}
    assert asked(daemons, {"maps": {"token_key": [row]}}).finding == "differs"


# What filters may pass on, and alias domains


def allowing(until: int | None = None) -> Compiled:
    return {"maps": {"allowed": [{"source": MIA, "target": "@far.example", "until": until}]}}


def test_what_filters_may_pass_on_is_said_by_who_judges_it(daemons: Daemons) -> None:
    gone = {"allowed": [(MIA, "@far.example", None)]}
    assert asked(daemons, allowing()).finding == "differs"
    assert asked(daemons, allowing(until=5)).finding == asked(daemons, None, gone).finding == "agrees"
    daemons.allows = [[MIA, "@far.example"]]
    assert asked(daemons, allowing()).finding == asked(daemons, allowing(), gone).finding == "agrees"
    assert asked(daemons, allowing(until=5)).finding == asked(daemons, None, gone).finding == "differs"
    daemons.milter = {"maps": 6}
    assert asked(daemons, allowing()).finding == "not known"
    daemons.milter = {"error": "away"}
    assert asked(daemons, None, gone).finding == "not known"


def test_what_filters_may_never_pass_on_is_said_by_who_judges_it(daemons: Daemons) -> None:
    never: Compiled = {"maps": {"forbidden": [{"source": MIA, "target": "@far.example"}]}}
    gone = {"forbidden": [(MIA, "@far.example")]}
    assert asked(daemons, never).finding == "differs" and asked(daemons, None, gone).finding == "agrees"
    daemons.never = [[MIA, "@far.example"]]
    assert asked(daemons, never).finding == "agrees" and asked(daemons, None, gone).finding == "differs"


def test_an_alias_domain_is_answered_by_its_map(daemons: Daemons) -> None:
    row = {"name": "acme.test", "target": "acme.example"}
    gone = {"alias_domain": [("acme.test", "acme.example", None)]}
    daemons.maps["alias_domain"] = {}
    assert asked(daemons, {"maps": {"alias_domain": [row]}}).finding == "differs"
    assert asked(daemons, None, gone).finding == "agrees"
    daemons.maps["alias_domain"] = {"acme.test": "acme.example"}
    assert asked(daemons, {"maps": {"alias_domain": [row]}}).finding == "agrees"
    assert asked(daemons, {"maps": {"alias_domain": [row | {"until": 5}]}}).finding == "differs"
    assert asked(daemons, None, gone).finding == "differs"


def test_to_which_other_server_mail_is_handed_is_answered_by_its_map(daemons: Daemons) -> None:
    row = {"address": MIA, "host": "mx.far.example", "port": 25, "tls": 1}
    gone = {"handed": [(MIA, "mx.far.example", 25, 1, None)]}
    daemons.maps["handed"] = {}
    assert asked(daemons, {"maps": {"handed": [row]}}).finding == "differs"
    assert asked(daemons, None, gone).finding == "agrees"
    daemons.maps["handed"] = {MIA: "FILTER handed-tls:[mx.far.example]:25"}
    assert asked(daemons, {"maps": {"handed": [row]}}).finding == "agrees"
    for other in ({"tls": 0}, {"port": 26}, {"host": "mx2.far.example"}, {"until": 5}):
        assert asked(daemons, {"maps": {"handed": [row | other]}}).finding == "differs", other
    assert asked(daemons, None, gone).finding == "differs"
