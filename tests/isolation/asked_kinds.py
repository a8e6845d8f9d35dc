"""Every kind that people submit, by POST /changes: what is asked of a client's objects, and what mixes two clients.

A kind without a line here fails test_matrix.py. An organization's own kinds are asked once, about nobody's client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cells import Cell, whose
from factories import soon
from oracle import OF_A_WHOLE, STOPPED, may, stranger, verdict
from principals import Principal
from three_clients import Ground

Params = dict[str, Any]
PATH = "/api/v1/changes"


def by(field: str, key: str, **more: Any) -> Callable[[Ground], Params]:
    """One object of a client, by its id, and what else the kind wants."""
    return lambda here: {field: here.ids[key], **more}


OF_A_CLIENT: dict[str, Callable[[Ground], Params]] = {
    "access_reviews.open": by("client", "client"), "access_reviews.sign": by("line", "right line", answer="keep"),
    "rosters.open": by("client", "client"), "rosters.answer": by("line", "roster line", answer="here"),
    "app_passwords.end": by("app_password", "app password"), "consents.end": by("consent", "consent"),
    "access.suspend": by("client", "client"), "access.resume": by("client", "client"),
    "aliases.change": lambda here: {"alias": here.ids["alias"], "targets": [here.at("ned2")]},
    "aliases.create": lambda here: {"address": here.at("more"), "targets": [here.at("mia")]},
    "aliases.remove": by("alias", "alias"),
    "catch_alls.end": by("catch_all", "catch-all"),
    "catch_alls.set": lambda here: {"domain": here.ids["domain"], "target": here.at("mia"), "until": soon()},
    "clients.change": by("client", "client", notes="x"), "clients.place": by("client", "client", node="mx1"),
    "clients.remove": by("client", "client"), "clients.restore": by("client", "client"),
    "clients.resume": by("client", "client"), "clients.suspend": by("client", "client"),
    "delegations.ask": lambda here: {"mailbox": here.at("team"), "to": here.at("mia"), "rights": ["send-as"]},
    "delegations.consent": by("delegation", "delegation"), "delegations.decline": by("delegation", "delegation"),
    "delegations.end": by("delegation", "delegation"),
    "filters.set": lambda here: {"mailbox": here.at("mia"), "script": "keep;"},
    "forwards.replace": lambda here: {"address": here.at("going"), "target": here.at("mia"), "to": here.at("kim"),
                                      "mailbox": here.at("team"), "until": soon()},
    "forwards.stop": lambda here: {"address": here.at("going"), "target": here.at("mia")},
    "redirects.stop": lambda here: {"mailbox": here.at("mia"), "target": f"{here.canary}@outside.test"},
    "redirects.resume": lambda here: {"mailbox": here.at("leo"), "target": f"leo@{here.slug}.test"},
    "filters.end": lambda here: {"mailbox": here.at("leo")},
    "destinations.create": lambda here: {"client": here.ids["client"], "name": "more", "targets": [here.at("mia")]},
    "destinations.change": lambda here: {"destination": here.ids["destination"], "targets": [here.at("leo")]},
    "probes.send": lambda here: {"address": here.at("mia")},
    "destinations.end": by("destination", "destination"),
    "dkim_keys.activate": by("key", "key"), "dkim_keys.retire": by("key", "key"),
    "dkim_keys.rotate": by("domain", "domain"),
    "dkim_keys.revoke": lambda here: {"key": here.ids["key"], "domain": here.domain},
    "domains.add": lambda here: {"client": here.ids["client"], "name": f"new-{here.letter.lower()}.example"},
    "domains.change": by("domain", "domain", registrar="x"), "domains.remove": by("domain", "second", accept_loss=True),
    "doubts.settle": by("doubt", "doubt", outcome="x"),
    "domains.set_alias": lambda here: {"domain": here.ids["second"], "of": here.ids["domain"]},
    "exceptions.create": lambda here: {"address": here.at("mia"), "target": "mia@home.example", "owner": "Mia",
                                       "until": soon()},
    "exceptions.end": by("exception", "exception"),
    "transports.create": lambda here: {"address": here.at("fax"), "host": "mx.elsewhere.test", "owner": "Mia",
                                       "until": soon()},
    "transports.end": by("transport", "transport"),
    "forwards.change": lambda here: {"forward": here.ids["forward"], "until": soon(20)},
    "forwards.create": lambda here: {"address": here.at("mia"), "to": here.at("leo"), "until": soon()},
    "forwards.disable": by("forward", "forward"), "forwards.enable": by("forward", "forward"),
    "forwards.end": by("forward", "forward"),
    "domains.restore": by("domain", "domain"), "domains.resume": by("domain", "domain"),
    "domains.suspend": by("domain", "domain"),
    "findings.accept": lambda here: {"finding": here.ids["finding"], "reason": "x", "until": soon()},
    "findings.acknowledge": by("finding", "finding"), "findings.reopen": by("finding", "finding known"),
    "forwards.tell_owner": lambda here: {"mailbox": here.at("mia"), "target": f"{here.canary}@outside.test"},
    "freezes.end": by("freeze", "freeze"), "freezes.start": lambda here: {"scope": here.ids["client"], "reason": "x"},
    "grants.end": by("grant", "grant"),
    "grants.elevate": lambda here: {"role": "approver", "hours": 1, "client": here.ids["client"]},
    "grants.give": lambda here: {"person": here.ids["person plain"], "role": "client viewer",
                                 "client": here.ids["client"]},
    "history.roll_back": by("change", "made"),
    "invites.cancel": by("invite", "invite kim"), "invites.redirect": by("invite", "invite kim", contact="o@h.example"),
    "invites.resend": by("invite", "invite leo"), "invites.send": by("mailbox", "mailbox", contact="o@h.example"),
    "mailboxes.change": by("mailbox", "mailbox", quota_mb=77),
    "mailboxes.create": lambda here: {"address": here.at("more")},
    "mailboxes.end_sessions": by("mailbox", "mailbox"),
    "mailboxes.remove": by("mailbox", "mailbox"), "mailboxes.restore": by("mailbox", "mailbox"),
    "mailboxes.transfer": by("mailbox", "mailbox", contact="next@home.test"),
    "mailboxes.resume": by("mailbox", "mailbox"), "mailboxes.suspend": by("mailbox", "mailbox"),
    "people.change": by("person", "person plain", name="X"),
    "people.invite": lambda here: {"name": "New", "email": here.at("newcomer"), "client": here.ids["client"]},
    "people.remove": by("person", "person plain"), "people.restore": by("person", "person plain"),
    "people.resume": by("person", "person plain"), "people.suspend": by("person", "person plain"),
    "clients.ask_contact": by("client", "client"), "domains.ask_contact": by("domain", "domain"),
    "recovery_channels.name": by("mailbox", "mailbox", value="m@home.example"),
    "recovery_channels.ask": by("channel", "channel"), "recovery_channels.end": by("channel", "channel"),
    "resets.start": by("mailbox", "mailbox rex", ticket="T-1"), "resets.end": by("verification", "verification"),
    "resets.vouch": by("verification", "verification", answer="right"),
    "resets.record_call": lambda here: {"verification": here.ids["verification"], "channel": here.ids["channel"],
                                        "answer": "right"},
    "resets.send_link": by("verification", "verification", contact="m@home.example"),
    "resets.ask_code": lambda here: {"verification": here.ids["verification"], "channel": here.ids["channel home"]},
    "resets.declare_emergency": by("verification", "verification", reason="x"),
    "resets.waive_wait": by("verification", "verification"),
    "resets.enter_code": by("verification", "verification", said="00000000"),
    "record.erase": lambda here: {"lines": [f"{here.ids['entry']}.1"], "reason": "x"},
    "record_sets.release": by("record_set", "record_set"),
    "record_sets.set": lambda here: {"domain": here.ids["domain"], "name": f"x.{here.domain}", "type": "TXT",
                                     "values": ['"x"']},
    "sessions.end": by("session", "session"), "tokens.end": by("token", "token"),
}  # fmt: skip
OF_NO_CLIENT: dict[str, Params] = {
    "nodes.deliver_again": {"node": "mx1"},
    "clients.create": {"name": "New"}, "nodes.add": {"node": "mx5", "role": "postroom_node_mx5"},
    "mail_apps.add": {"name": "Birdmail", "redirect_uris": ["http://127.0.0.1/"]},
    "mail_apps.end": {"mail_app": "Mail of tests"},
    "nodes.drain": {"node": "mx1"}, "nodes.remove": {"node": "mx1"}, "organization.change": {"name": "N"},
    "roles.change": {"role": "mail desk of one's own", "permissions": ["mailboxes.view"]},
    "roles.create": {"name": "one more", "permissions": ["mailboxes.view"]},
    "roles.end": {"role": "mail desk of one's own"},
}  # fmt: skip
SECRET = {"invites.issue", "tokens.create"}  # carry one: they have operations of their own, and are refused here
MINTS = {
    "delegations.consent",
    "grants.elevate",
    "grants.give",
    "people.invite",
    "roles.change",
    "roles.create",
}  # by no token ever
# What stands in the way of an act that is allowed, in this world: 409 and 422 say so. Never 403 nor 404.
DONE, IN_THE_WAY, UNSEEN, REFUSED = (200,), (200, 409, 422), (404, 422), (403, 404, 409, 422)


def _may(who: Principal, kind: str, letter: str) -> bool:
    if who.only is not None and kind in MINTS:
        return False
    if who.narrow and kind in OF_A_WHOLE:
        return False
    if kind == "sessions.end":  # a session is the organization's, whoever it is of; one's own is anybody's to see
        return may(who, kind, "*")
    return may(who, kind, letter)


def _cell(who: Principal, kind: str, shape: str, letter: str, params: Any, *, mixed: bool = False) -> Cell:
    expect = verdict(who, "changes.view", letter, of=kind)
    if expect == "allowed":
        expect = "allowed" if _may(who, kind, letter) else "refused"
    if (mixed or kind == "sessions.end") and expect == "allowed" and "*" not in who.roles:
        expect = "not there"
    sent = {"kind": kind, "params": params, "why": "x", "dry_run": expect == "allowed"}
    repeated = tuple(_strings(params))
    return Cell(who, f"POST {PATH} {kind}", shape, letter, PATH, expect, body=sent, sent=repeated,
                twin="" if mixed else f"{kind} {shape.partition(' ')[2]}", allowed=IN_THE_WAY, refused=REFUSED,
                unseen=(*UNSEEN, 403) if mixed else UNSEEN)  # fmt: skip


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if "@" in value:
            yield value.partition("@")[2]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(one)


def of_kinds(who: Principal, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """Each kind at each client; those of no client once; for who is nobody, one kind says what all do."""
    for kind, params in OF_A_CLIENT.items():
        for letter, here in all_of.items():
            yield _cell(who, kind, whose(who, letter), letter, params(here))
        if stranger(who):
            return
    for kind, params in OF_NO_CLIENT.items():
        yield _cell(who, kind, "the agency's", "*", params)
    yield from mixed(who, all_of)


def mixed(who: Principal, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """What belongs to two clients: a list with one foreign, an alias into another's, a tenant key, a foreign child."""
    mine = next((here for letter, here in all_of.items() if letter in who.knows), None)
    theirs = next((here for letter, here in all_of.items() if letter not in (*who.knows, "N")), None)
    if mine is None or theirs is None:
        return
    for kind, params in OF_A_CLIENT.items():
        one = params(mine)
        yield _cell(who, kind, "list with one foreign", mine.letter, [one, params(theirs)], mixed=True)
        keyed = _cell(who, kind, "tenant key in the body", mine.letter, {**one, "client_id": theirs.ids["client"]},
                      mixed=True)  # fmt: skip
        yield keyed
    a, b = mine.ids, theirs.ids
    both: list[tuple[str, Params]] = [
        ("aliases.create", {"address": mine.at("into"), "targets": [theirs.at("mia")]}),
        ("aliases.change", {"alias": a["alias"], "targets": [theirs.at("mia")]}),
        ("aliases.create", {"address": theirs.at("into"), "targets": [mine.at("mia")]}),
        ("forwards.create", {"address": theirs.at("into"), "to": mine.at("mia"), "until": soon()}),
        ("exceptions.create", {"address": theirs.at("mia"), "target": mine.at("mia"), "owner": "x", "until": soon()}),
        ("transports.create", {"address": theirs.at("fax"), "host": "mx.x.test", "owner": "x", "until": soon()}),
        ("transports.end", {"transport": b["transport"]}),
        ("catch_alls.set", {"domain": a["domain"], "target": theirs.at("mia"), "until": soon()}),
        ("catch_alls.set", {"domain": b["domain"], "target": mine.at("mia"), "until": soon()}),
        ("domains.set_alias", {"domain": a["second"], "of": b["domain"]}),
        ("mailboxes.create", {"address": mine.at("owned"), "owner": b["person viewer"]}),
        ("mailboxes.change", {"mailbox": a["mailbox"], "owner": b["person viewer"]}),
        ("mailboxes.change", {"mailbox": a["mailbox"], "client_admin": b["person admin"]}),
        ("grants.give", {"person": b["person viewer"], "role": "client viewer", "client": a["client"]}),
        ("grants.give", {"person": a["person viewer"], "role": "client viewer", "client": b["client"]}),
        ("grants.give", {"person": a["person viewer"], "role": "client viewer", "domain": b["domain"]}),
        ("grants.give", {"person": a["person viewer"], "role": "client viewer", "client": a["client"],
                         "domain": b["domain"]}),
        ("grants.elevate", {"role": "approver", "hours": 1, "client": a["client"], "domain": b["domain"]}),
        ("domains.add", {"client": a["client"], "name": f"under.{theirs.domain}"}),
        ("record_sets.set", {"domain": a["domain"], "name": f"x.{theirs.domain}", "type": "TXT", "values": ['"x"']}),
    ]  # fmt: skip
    for kind, params in both:
        yield _cell(who, kind, "two clients", mine.letter, params, mixed=True)


def of_batches(who: Principal, all_of: dict[str, Ground]) -> Iterator[Cell]:
    """Changes at several clients at once, one of them foreign; and a token for a client that is not one's own."""
    mine = next((here for letter, here in all_of.items() if letter in who.knows), None)
    for letter, here in all_of.items():
        expect = verdict(who, "mailboxes.change", letter, door="changes.view", of="mailbox")
        room = 81 + len(all_of) + list(all_of).index(letter)  # another each time, so that it never stands so already
        parts = [
            {"kind": "mailboxes.change", "params": {"mailbox": one.ids["mailbox"], "quota_mb": room}}
            for one in ([mine] if mine and mine is not here else []) + [here]
        ]  # fmt: skip
        yield Cell(who, "POST /api/v1/batches", whose(who, letter), letter, "/api/v1/batches", expect,
                   body={"changes": parts, "why": "x"}, sent=(here.ids["mailbox"],), twin="batches", allowed=(200, 202),
                   refused=REFUSED, unseen=UNSEEN)  # fmt: skip
        expect = verdict(who, "tokens.create", letter, of="client")
        wanted = {"name": "x", "permissions": ["mailboxes.view"], "clients": [here.ids["client"]], "until": soon(),
                  "why": "x"}  # fmt: skip
        yield Cell(who, "POST /api/v1/tokens", whose(who, letter), letter, "/api/v1/tokens", expect, body=wanted,
                   sent=(here.ids["client"],), twin="tokens", refused=REFUSED, unseen=UNSEEN)  # fmt: skip
    told = verdict(who, "changes.view", "*")
    ends: tuple[int, ...] = (403,) if who.only is not None else (200,)
    yield Cell(who, "POST /api/v1/session/end", "own", "*", "/api/v1/session/end",
               told if told in STOPPED else "allowed", allowed=ends)  # fmt: skip
