"""What is kept, for how long, for whom; and what a change tells."""

import asyncio

from postroom.protocols.answers import Held, Key
from postroom.resolve.cache import FAILED_FOR, Cache, Told
from postroom.resolve.watch import Change, Watch, digest

KEY = ("acme.example", "TXT")
OLD, NEW = Held(("a",), 300), Held(("b",), 300)


class Asked:
    """Stands for the engine: keeps who asks until the test answers."""

    def __init__(self) -> None:
        self.open: dict[Key, Told] = {}
        self.many = 0

    def __call__(self, name: str, type: str, told: Told) -> None:
        assert (name, type) not in self.open, "asked twice at once"
        self.open[name, type] = told
        self.many += 1

    def answer(self, held: Held, key: Key = KEY) -> None:
        self.open.pop(key)(held)


class World:
    def __init__(self, most: int = 100) -> None:
        self.now, self.asked, self.changes = 1000.0, Asked(), list[Change]()
        self.watch = Watch(self.changes.append, clock=lambda: self.now)
        self.cache = Cache(self.asked, most=most, heard=self.watch.heard, clock=lambda: self.now)

    def fetch(self, held: Held, key: Key = KEY) -> None:
        self.cache.fetch(key, lambda key, held: None)
        self.asked.answer(held, key)


def test_one_question_is_on_its_way_however_many_want_it() -> None:
    world, told = World(), list[Held]()
    for _ in range(5):
        world.cache.fetch(KEY, lambda key, held: told.append(held))
    world.asked.answer(OLD)
    assert told == [OLD] * 5
    assert (world.asked.many, world.cache.joined) == (1, 4)


def test_an_answer_counts_as_long_as_it_says() -> None:
    world = World()
    world.fetch(OLD)
    world.now += 299
    assert world.cache.look(KEY) == OLD
    world.now += 1
    assert world.cache.look(KEY) is None


def test_a_ttl_of_none_is_kept_for_nobody() -> None:
    world = World()
    world.fetch(Held(("a",), 0))
    assert world.cache.look(KEY) is None
    assert not world.cache.kept


def test_a_failure_is_kept_for_a_while_and_no_longer() -> None:
    world = World()
    world.fetch(Held(failed="SERVFAIL"))
    assert world.cache.look(KEY) == Held(failed="SERVFAIL")
    world.now += FAILED_FOR
    assert world.cache.look(KEY) is None


def test_what_nobody_wanted_longest_goes_first() -> None:
    world = World(most=3)
    keys = [(f"n{n}.example", "A") for n in range(4)]
    for key in keys[:3]:
        world.fetch(OLD, key)
    world.cache.look(keys[0])
    world.fetch(OLD, keys[3])
    assert [key for key in keys if world.cache.look(key)] == [keys[0], keys[2], keys[3]]


def test_a_change_tells_what_it_was_and_whom_it_concerns() -> None:
    world = World()
    for who in ("acme.example", "globex.example", "acme.example"):
        world.watch.asked(KEY, who)
    world.fetch(OLD)
    world.now += 400
    world.fetch(OLD._replace(ttl=20))
    assert world.changes == [], "how long it counts is no change"
    world.fetch(NEW)
    assert world.changes == [Change(KEY, OLD._replace(ttl=20), NEW, frozenset(("acme.example", "globex.example")))]


def test_a_change_is_seen_by_its_digest_where_the_answer_itself_is_gone() -> None:
    world = World(most=1)
    world.fetch(OLD)
    world.fetch(OLD, ("other.example", "A"))
    world.fetch(NEW)
    assert world.changes == [Change(KEY, None, NEW, frozenset())]


def test_a_failure_is_no_change_and_hides_none() -> None:
    world = World()
    world.fetch(OLD)
    world.fetch(Held(failed="SERVFAIL"))
    world.fetch(OLD)
    assert world.changes == []
    world.fetch(Held(failed="SERVFAIL"))
    world.fetch(NEW)
    assert [(one.old, one.new) for one in world.changes] == [(None, NEW)]


def test_what_makes_a_difference() -> None:
    others = [
        Held(("a",), 9),
        Held(("a",), 9, secure=True),
        Held(("a",), 9, chain=("b",)),
        Held((), 9),
        Held((), 9, True),
    ]
    assert len({digest(one) for one in others}) == len(others)
    assert digest(OLD).hex() == "c865a98299189515"


def test_what_is_due_is_told_once_when_its_time_has_come() -> None:
    world = World()
    soon, mail, late = ("a.example", "TXT"), ("a.example", "MX"), ("b.example", "TXT")
    for key, ttl in ((soon, 5), (mail, 3600), (late, 3600)):
        world.fetch(Held(("x",), ttl), key)
    world.now += 59
    assert world.watch.due() == []
    world.now += 2
    assert world.watch.due() == [soon] and world.watch.due() == []
    world.now += 240
    assert world.watch.due() == [mail], "mail is looked at within five minutes"
    assert world.watch.next() == 1000 + 3601


def test_what_was_heard_anew_is_due_anew() -> None:
    world = World()
    world.fetch(Held(("x",), 100))
    world.now += 50
    world.fetch(Held(("x",), 100))
    world.now += 60
    assert world.watch.due() == []
    world.now += 45
    assert world.watch.due() == [KEY]


def test_what_was_known_before_a_restart_is_not_asked_before_it_is_due() -> None:
    world = World()
    world.watch.remember(KEY, digest(OLD), world.now + 30, ["acme.example"])
    assert world.watch.due() == []
    world.now += 31
    assert world.watch.due() == [KEY]
    world.fetch(NEW)
    assert world.changes == [Change(KEY, None, NEW, frozenset(("acme.example",)))]


def test_a_domain_that_is_let_go_takes_with_it_what_it_alone_asked() -> None:
    world = World()
    for who in ("acme.example", "globex.example"):
        world.watch.asked(("_spf.example", "TXT"), who)
    world.watch.asked(KEY, "acme.example")
    world.watch.forget("acme.example")
    assert list(world.watch.watched) == [("_spf.example", "TXT")]
    assert world.watch.who(("_spf.example", "TXT")) == frozenset(("globex.example",))


def test_get_waits_or_takes_what_is_kept() -> None:
    async def run() -> list[Held]:
        world = World()
        first = asyncio.ensure_future(world.cache.get(KEY))
        await asyncio.sleep(0)
        world.asked.answer(OLD)
        return [await first, await world.cache.get(KEY)]

    assert asyncio.run(run()) == [OLD, OLD]
