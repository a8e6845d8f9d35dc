"""Names for tests of SPF, and asking an evaluator until it misses nothing more."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, TypeVar

from postroom.protocols.answers import Answers, Held, Key, Missing
from postroom.protocols.spf_check import Verdict, check_host
from postroom.protocols.spf_lint import Report, lint
from postroom.protocols.spf_reach import Memo
from postroom.protocols.spf_sender import sender

T = TypeVar("T")
World = Mapping[str, Held | str | list[Any]]
"""`acme.example` → its SPF record; `acme.example A` → values, or a Held; all else does not exist."""


def answer(world: World, key: Key) -> Held:
    name, type = key
    found = world.get(f"{name} {type}") or (type == "TXT" and world.get(name)) or Held(nowhere=not stands(world, name))
    if isinstance(found, Held):
        return found
    return Held(tuple(sorted([found] if isinstance(found, str) else found)), 300)


def stands(world: World, name: str) -> bool:
    return any(key.partition(" ")[0] == name for key in world)


def settled(world: World, ask: Callable[[Answers], T]) -> tuple[T, list[tuple[Key, ...]]]:
    """What the evaluator says in the end, and what it missed in each round."""
    held: dict[Key, Held] = {}
    rounds: list[tuple[Key, ...]] = []
    while True:
        try:
            return ask(Answers(held)), rounds
        except Missing as missing:
            assert not set(missing.keys) & set(held), "asked for what it has"
            rounds.append(missing.keys)
            held |= {key: answer(world, key) for key in missing.keys}
            assert len(rounds) < 40, "it never ends"


def checked(world: World, ip: str, mail_from: str = "mia@acme.example", helo: str = "mail.acme.example") -> Verdict:
    who = sender(ip_address(ip), mail_from, helo, receiver="mx.here.example", now=1_700_000_000)
    return settled(world, lambda answers: check_host(answers, who))[0]


def linted(world: World, domain: str = "acme.example", memo: Memo | None = None) -> Report:
    return settled(world, lambda answers: lint(answers, domain, memo))[0]
