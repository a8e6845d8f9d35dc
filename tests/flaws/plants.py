"""The flaws themselves, each put back in one place for the length of one test. `planting.py` runs them.

A plant takes the monkeypatch of its run, then fixtures of its test by their names; it may give back how it is undone.
"""

from __future__ import annotations

import html
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Patch = pytest.MonkeyPatch
Put = Callable[..., Callable[[], object] | None]


def instead(where: str, value: Any) -> Put:
    """Something else at this dotted place."""
    return lambda patch: patch.setattr(where, value)


def around(where: str, made: Callable[[Any], Any]) -> Put:
    """What stands there, wrapped."""

    def put(patch: Patch) -> None:
        module, _, name = where.rpartition(".")
        try:
            owner: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            above, _, last = module.rpartition(".")
            owner = getattr(importlib.import_module(above), last)
        patch.setattr(owner, name, made(getattr(owner, name)))

    return put


def inside(test_module: str, name: str, made: Callable[[Any], Any]) -> Put:
    """What a test took by its name, wrapped: where the product hands it out is one place, this is the other end."""

    def put(patch: Patch) -> None:
        module = sys.modules[test_module]
        patch.setattr(module, name, made(getattr(module, name)))

    return put


def setting(name: str, value: Any) -> Put:
    return lambda patch: patch.setattr(f"django.conf.settings.{name}", value)


def reworded(where: str, old: str, new: str) -> Put:
    """A text of ours in which these words are others; the plant is broken where they do not stand in it."""

    def put(patch: Patch) -> None:
        module, _, name = where.rpartition(".")
        text = getattr(importlib.import_module(module), name)
        assert old in text, f"{old!r} does not stand in {where}"
        patch.setattr(where, text.replace(old, new))

    return put


def in_source(rule: str, file: str, line: str) -> Put:
    """A copy of the product with this line in one of its files, which the rules over the source read instead."""

    def put(patch: Patch) -> Callable[[], object]:
        tmp_path = Path(tempfile.mkdtemp())
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"{line}\n")
        module = sys.modules["test_source"]
        check, _ = module.RULES[rule]
        patch.setitem(module.RULES, rule, (lambda root: [*check(root), *check(tmp_path)], module.RULES[rule][1]))
        return lambda: shutil.rmtree(tmp_path)

    return put


# 1 to 3: the reset flow


def link_from_host(patch: Patch) -> None:
    from postroom.web import guard
    from postroom.worker import mail

    last = ["localhost"]
    call = guard.Guard.__call__

    def remembers(self: Any, request: Any) -> Any:
        meta = request.META
        last[0] = meta.get("HTTP_X_FORWARDED_HOST") or last[0]
        return call(self, request)

    patch.setattr(guard.Guard, "__call__", remembers)
    patch.setattr(mail, "recovery_link", lambda token: f"http://{last[0]}/recover/{token}")


def link_from_port(patch: Patch) -> None:
    from postroom.api import invites
    from postroom.web import guard

    last, call = ["localhost"], guard.Guard.__call__

    def remembers(self: Any, request: Any) -> Any:
        last[0] = request.META.get("HTTP_HOST") or last[0]
        return call(self, request)

    patch.setattr(guard.Guard, "__call__", remembers)
    patch.setattr(invites, "invite_link", lambda token: f"http://{last[0]}/invite/{token}")


def says_who_is_unknown(patch: Patch) -> None:
    """Asking for a mailed link does more for somebody who is there."""
    from postroom.models import Person
    from postroom.web import recovering

    real = recovering.ask

    def ask(request: Any) -> Any:
        from postroom.access.acting import SYSTEM, acting_as

        answer = real(request)
        with acting_as(SYSTEM):
            if request.method == "POST" and Person.objects.filter(email=request.POST.get("email", "")).exists():
                answer.content += b"A link is on its way."
        return answer

    swap_view(patch, real, ask)


def swap_view(patch: Patch, real: Any, other: Any) -> None:
    """Another view at every address where this one stands; it says what that one says, and lets any method in."""
    from django.urls import URLPattern, get_resolver

    from postroom.access.declared import PUBLIC, Declared

    other.permission, other.recorded = real.permission, getattr(real, "recorded", "")
    other.declared = {method: Declared(PUBLIC) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")} | real.declared

    def under(resolver: Any) -> None:
        for one in resolver.url_patterns:
            if isinstance(one, URLPattern):
                if one.callback is real:
                    patch.setattr(one, "callback", other)
            else:
                under(one)

    under(get_resolver())
    get_resolver()._populate()


def found_and_refused(patch: Patch) -> None:
    """What is somebody else's is found first, and then refused: so it is told that it is there."""
    from postroom.changes.errors import NotAllowed, NotThere
    from postroom.queries import objects

    real = objects.row_of

    def row_of(actor: Any, noun: str, ref: str) -> Any:
        try:
            return real(actor, noun, ref)
        except NotThere:
            model = objects.NOUNS[noun].model
            if with_everything(lambda: model.objects.filter(**{model.natural_key: ref}).exists()):
                raise NotAllowed(f"{ref} is not yours") from None
            raise

    patch.setattr(objects, "row_of", row_of)


def with_everything(read: Callable[[], Any]) -> Any:
    """Past row security, as a wall that has a hole."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('postroom.everything', true)")
        (was,) = cursor.fetchone()
        cursor.execute("SELECT set_config('postroom.everything', 'yes', true)")
        try:
            return read()
        finally:
            cursor.execute("SELECT set_config('postroom.everything', %s, true)", [was or ""])


def short_tokens(draw: Any) -> Any:
    import secrets

    from postroom.access.tokens import hashed

    def drawn() -> tuple[str, str]:
        token = secrets.token_urlsafe(6)
        return token, hashed(token)

    return drawn


def counted_never(call: Any) -> Any:
    return lambda self, who, **more: None


def forgets(get: Any) -> Any:
    """What was counted is not there the next time."""
    return lambda self, key, default=None, version=None: default


# 5, 6, 24, 25: verbs


def one_verb_asks_nobody(call: Any) -> Any:
    """Taking a change back lost its door: whoever asks is taken for somebody."""

    def lets_in(self: Any, request: Any) -> Any:
        from postroom.access.actor import Actor
        from postroom.api.door import Caller

        if request.method == "POST" and request.path.endswith("/withdraw"):
            return Caller(Actor(None, "anybody"), None)
        return call(self, request)

    return lets_in


def open_page(address: str) -> Put:
    """One page forgot to ask who is there, by one of its methods."""

    def put(patch: Patch) -> None:
        from django.http import HttpResponse
        from django.urls import resolve

        real = resolve(address).func

        def view(request: Any, *args: Any, **kwargs: Any) -> Any:
            return HttpResponse("all of it") if request.method == "PUT" else real(request, *args, **kwargs)

        swap_view(patch, real, view)

    return put


def undeclared(patch: Patch) -> None:
    from django.urls import resolve

    patch.delattr(resolve("/nodes/").func, "permission")


def undeclared_operation(patch: Patch) -> None:
    from postroom.api.urls import api

    _, router = api._routers[1]
    one = next(iter(router.path_operations.values())).operations[0]
    patch.delattr(one.view_func, "permission")


def everybody_may(patch: Patch) -> None:
    from postroom.access import roles

    patch.setitem(roles.ROLES, "auditor", roles.ROLES["auditor"] | {"something.*"})


def acts_by_get(patch: Patch) -> None:
    """A page that takes away when it is only opened."""
    from django.urls import resolve

    real = resolve("/roles/").func

    def view(request: Any, *args: Any, **kwargs: Any) -> Any:
        from cast import do

        do("mailboxes.suspend", request_actor(request), mailbox="mia@acme.example")
        return real(request, *args, **kwargs)

    swap_view(patch, real, view)


def request_actor(request: Any) -> Any:
    from postroom.access.acting import signed_in

    found = signed_in(request.user.person_id)
    assert found
    return found[0]


def exempt(address: str) -> Put:
    """One form needs no token."""

    def put(patch: Patch) -> None:
        from django.urls import resolve

        real = resolve(address).func

        def view(request: Any, *args: Any, **kwargs: Any) -> Any:
            return real(request, *args, **kwargs)

        view.csrf_exempt = True  # type: ignore[attr-defined]
        swap_view(patch, real, view)

    return put


def cookie_at_the_api(call: Any) -> Any:
    """The API believes a browser's cookie."""

    def by_cookie(self: Any, request: Any) -> Any:
        from postroom.api.door import Caller

        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            return Caller(request_actor(request), None)
        return call(self, request)

    return by_cookie


# 1, 2, 32: set-up of mail apps


def any_address_of_an_app(patch: Patch) -> None:
    """A name that mail apps look for counts wherever it is named."""
    from postroom.web import app_hosts

    real = app_hosts._ours
    patch.setattr(app_hosts, "_ours", lambda path, host: any(real(one, host) for one in app_hosts.AUTOCONFIG))


def only_who_is_there(asked: Any) -> Any:
    """No answer for an address that no mailbox has."""

    def looked(*args: Any) -> Any:
        from postroom.access.acting import SYSTEM, acting_as
        from postroom.models import Mailbox
        from postroom.protocols.addresses import BadAddress
        from postroom.protocols.autodiscover import INVALID, Refused

        found = asked(*args)
        with acting_as(SYSTEM):
            if Mailbox.objects.filter(address__address=found).exists():
                return found
        raise Refused(INVALID, "nobody") if isinstance(args[0], bytes) else BadAddress("nobody")

    return looked


def expanding(document: bytes, **_: Any) -> Any:
    """Read with every entity that it defines."""
    return ElementTree.fromstring(document)


def unescaped(document: Any) -> Any:
    """Names stand in it as they are."""
    return lambda *args: html.unescape(document(*args).decode()).encode()


# 4, 9 to 12, 29, 30: ids, ranks, roles


def without_policy(name: str) -> Put:
    def put(patch: Patch) -> None:
        from postroom.changes import policy

        left = [one for one in policy.POLICIES if one.__name__ != name]
        assert len(left) == len(policy.POLICIES) - 1
        patch.setattr(policy, "POLICIES", left)
        for module in list(sys.modules.values()):
            if getattr(module, "POLICIES", None) is not None and (module.__name__ or "").startswith("postroom.changes"):
                patch.setattr(module, "POLICIES", left)

    return put


def sees_everybody(find: Any) -> Any:
    """A kind looks rows up past the person asking."""

    def found(self: Any, model: Any, ref: Any) -> Any:
        def past() -> Any:
            return next(self._read(model, [str(ref)], model.objects.all()), None)

        return find(self, model, ref) or with_everything(past)

    return found


def takes_anything(permission: str) -> Put:
    """A kind that ignores what it does not know."""

    def put(patch: Patch) -> None:
        from postroom.changes.kind import KINDS

        patch.setattr(KINDS[permission], "model_validate", classmethod(lambda cls, value, **_: None))

    return put


def shows_hash(shown: Any) -> Any:
    """An answer with one field more: a hash that the database lets out by a function of its own."""

    def more(row: Any) -> Any:
        item = shown(row)
        if row._meta.db_table == "people":
            from postroom.models import Login

            login = Login.objects.filter(person=row.pk).first()
            item["password"] = login.password if login else ""
        return item

    return more


def shows_more(shown: Any) -> Any:
    return lambda row: {**shown(row), "key_path": "/var/lib/postroom/keys"}


def token_is_person(by_token: Any) -> Any:
    """A token acts as whoever made it."""

    def found(request: Any, token: str) -> Any:
        from postroom.access.actor import Actor
        from postroom.api.door import Caller

        one = by_token(request, token)
        return one and Caller(Actor(one.actor.person, one.actor.name), None)

    return found


def every_token_mints(patch: Patch) -> None:
    from postroom.changes.kinds import grants, people, tokens

    for kind in (tokens.CreateToken, grants.GiveGrant, people.InvitePerson):
        patch.setattr(kind, "mints", False)
    patch.setattr(tokens, "APPROVE", "nothing at all")


# 14, 15, 18, 22, 23: text


def search_as_text(where: Any) -> Any:
    """A search put together from what was typed."""
    return lambda rows, column, text: (
        "(SELECT id FROM clients WHERE slug LIKE '%%" + text.replace("%", "%%") + "%%' OR true)", [])  # fmt: skip


def unescaped_like(pattern: Any) -> Any:
    return lambda text, column: f"%{text.lower()}%"


def finding_by_text(left: Any) -> Any:
    """A job that puts a stored value into its statement."""

    def one(finding_id: Any) -> Any:
        from django.db import connection

        from postroom.access.acting import SYSTEM, acting_as
        from postroom.models import Finding

        with acting_as(SYSTEM), connection.cursor() as cursor:
            title = Finding.objects.get(pk=finding_id).title.replace("'", "''").replace("%", "%%")
            cursor.execute(f"SELECT '{title}'")
        return left(finding_id)

    return one


def tidied(clean: Any) -> Any:
    """The pages make something good of what every other door refuses."""
    return lambda value: re.sub(r"[^a-z0-9@.+-]", "", clean(value))


def raw_words(piece: Any) -> Any:
    from django.utils.safestring import mark_safe

    return lambda one: mark_safe(one) if isinstance(one, str) else piece(one)


# 16, 17, 20, 21, 31, 33, 34: engines


def anything_is_safe(patch: Patch) -> None:
    from postroom.engines import compile

    patch.setattr(compile, "SAFE", re.compile(r".{0,320}", re.DOTALL))
    patch.setattr(compile, "_faults", lambda row, columns: [])


def any_word(patch: Patch) -> None:
    from postroom.engines import asking

    patch.setattr(asking, "KEY", re.compile(r".*", re.DOTALL))


def by_shell(run: Any) -> Any:
    def shelled(self: Any, command: list[str], given: str) -> Any:
        done = subprocess.run(" ".join(command), shell=True, input=given, capture_output=True, text=True, timeout=5)
        return done.returncode, done.stdout, done.stderr

    return shelled


def on_the_node(setting: str, before: str, *, service: str = "") -> Put:
    """One parameter of the running Postfix, and back again when the run is over."""

    def put(patch: Patch, node: Any) -> Callable[[], object]:
        conf = node.config.postfix_conf
        kept = {name: (conf / name).read_text() for name in ("main.cf", "master.cf")}

        def reload() -> None:
            subprocess.run(["postfix", "-c", str(conf), "reload"], check=True, capture_output=True, timeout=30)
            import time

            time.sleep(1.5)

        file = "master.cf" if service else "main.cf"
        assert before in kept[file], before
        (conf / file).write_text(kept[file].replace(before, setting))
        reload()

        def undo() -> None:
            for name, text in kept.items():
                (conf / name).write_text(text)
            reload()

        return undo

    return put


def narrowed_after(patch: Patch) -> None:
    """A node's files are made with whatever mode the umask leaves, and narrowed a moment later."""
    module = sys.modules["test_generated"]
    late = "maps._create = lambda path: path.exists() or (path.touch(mode=0o666), path.chmod(0o640))"
    patch.setattr(module, "MAKES", module.MAKES.replace("sys.addaudithook(look)", f"{late}\nsys.addaudithook(look)"))


def raw_zone_lines(patch: Patch) -> None:
    from postroom.protocols import rrset
    from postroom.protocols.txt import txt_text

    patch.setattr(rrset, "txt_quoted", lambda value: f'"{txt_text(value)}"')


def cached_sign_ins(patch: Patch) -> None:
    from postroom.engines import dovecot

    real = dovecot.render

    def render(*asked: Any) -> dict[str, str]:
        return {
            path: text.replace("auth_cache_size = 0", "auth_cache_size = 10M") for path, text in real(*asked).items()
        }

    patch.setattr(dovecot, "render", render)


def every_from_is_fine(patch: Patch) -> None:
    from postroom.engines import from_header

    real = from_header.judge
    patch.setattr(from_header, "judge", lambda headers, owns: real(headers, lambda address: True))
