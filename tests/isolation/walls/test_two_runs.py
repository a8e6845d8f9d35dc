"""Non-interference (Goguen and Meseguer, 1982): what A does, B cannot see.

Run 1: A's and B's steps, interleaved. Run 2: B's alone. Each in a copy of one house; B's view is equal in both, and so
is all that B was told at each step. Seeded in `make test`; `make soak` walks far.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from script import ALL_VERBS, OTHERS, TRIES, VERBS, Names, Pair, Step, everything_else, taken, view

from cast import House, at_home, do, person, reasons
from databases import Copies
from postroom.access.acting import taken as is_taken
from postroom.changes.approvals import approve
from postroom.host.cluster import Cluster
from postroom.models import NodeTodo
from postroom.queries import service
from postroom.record.sequencer import Sequencer

pytestmark = pytest.mark.matrix
Runs = Callable[[list[Step]], tuple[list[str], list[str]]]
A, B = "acme", "globex"


@pytest.fixture(scope="module")
def pair_founded(founded: Any, copies: Copies) -> Iterator[tuple[str, Pair]]:
    databases = copies.template(founded[0])
    name = next(databases)
    house = at_home(founded[1])
    admin = {A: house.carl, B: _joins(house, "gina", "client admin", B)}
    operator = {side: _joins(house, f"op-{side}", "operator", side) for side in (A, B)}
    connection.close()
    yield name, Pair(house, admin, operator)
    next(databases, None)


def _joins(house: House, name: str, role: str, client: str) -> Any:
    email = f"{name}@northlight.example"
    do("people.invite", house.oskar, name=name.title(), email=email)
    given = do("grants.give", house.oskar, person=email, role=role, client=client)
    if given.stage == "held":
        given = approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    assert given.version, reasons(given)
    return person(email, house.oskar)


@pytest.fixture
def runs(cluster: Cluster, pair_founded: tuple[str, Pair], copies: Copies) -> Runs:
    """Play a script in two fresh copies: with A's steps and without; B's view of each."""
    template, pair = pair_founded

    def played(steps: list[Step]) -> list[str]:
        databases = copies(template)
        name = next(databases)
        at_home(pair.house)
        with psycopg.connect(cluster.dsn("postgres", name), autocommit=True) as superuser:
            superuser.execute("UPDATE readings SET at = at - interval '1 hour'")  # old from the first run to the last
        told = [taken(pair, step) for step in steps]
        heard = [text for step, text in zip(steps, told, strict=True) if step.side == B]
        with psycopg.connect(cluster.dsn("postgres", name), autocommit=True) as superuser:
            Sequencer(superuser).place()
            seen = view(pair, B, lambda statement: superuser.execute(statement).fetchall())  # type: ignore[arg-type]
        next(databases, None)
        return [*Names().of(heard), *seen]

    return lambda steps: (played(steps), played([step for step in steps if step.side == B]))


def equal(runs: Runs, steps: list[Step]) -> int:
    with_a, without = runs(steps)
    differs = [pair for pair in zip(with_a, without, strict=False) if pair[0] != pair[1]]
    assert with_a == without, f"B sees what A did in {steps}:\n" + "\n".join(_first(*pair) for pair in differs[:3])
    return len(with_a)


def _first(one: str, other: str) -> str:
    """Around where they part."""
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"  {one[:30]}… {one[max(0, at - 80) : at + 80]!r}\n  {'':30}  {other[max(0, at - 80) : at + 80]!r}"


class Interleaved(RuleBasedStateMachine):
    """Steps of both, one after another; at the end they are played twice."""

    runs: Runs

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []

    numbers, admins = st.integers(1, 3), st.booleans()

    @rule(verb=st.sampled_from(ALL_VERBS), by_admin=admins, n=numbers)
    def a_acts(self, verb: str, by_admin: bool, n: int) -> None:
        self.steps.append(Step(A, verb, by_admin, n))

    @rule(verb=st.sampled_from((*VERBS, *OTHERS[:5])), by_admin=admins, n=numbers)
    def b_acts(self, verb: str, by_admin: bool, n: int) -> None:
        self.steps.append(Step(B, verb, by_admin, n))

    @rule(verb=st.sampled_from(tuple(TRIES)), by_admin=admins, n=numbers)
    def b_tries_a(self, verb: str, by_admin: bool, n: int) -> None:
        """What A has made meanwhile is answered like what is not there."""
        self.steps.append(Step(B, verb, by_admin, n))

    def teardown(self) -> None:
        if self.steps:
            equal(type(self).runs, self.steps)


@pytest.mark.parametrize("examples", [100, pytest.param(2_000, marks=pytest.mark.soak)])
def test_b_sees_the_same_with_and_without_a(runs: Runs, examples: int) -> None:
    machine = type("Played", (Interleaved,), {"runs": staticmethod(runs)})
    wanted = settings(
        max_examples=examples, stateful_step_count=10, deadline=None, database=None, derandomize=examples == 100,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=wanted)


def test_most_steps_do_something(runs: Runs) -> None:
    """A script in which every verb comes leaves much to see, and B sees the same."""
    rng = random.Random(3)
    order = ["make", "alias", "person", *rng.sample(ALL_VERBS, len(ALL_VERBS))]
    last = ("stop", "stop domain", "close", "freeze")  # whatever comes after these is refused
    verbs = [verb for verb in order if verb not in last]
    steps = [Step(side, verb, False, 1) for verb in verbs for side in (A, B)]
    assert equal(runs, steps) > 150
    assert callable(partial(everything_else, B))


# Planted flaws: each lets something of A through to B, and a script of a few steps shows it.

SCRIPT = [
    Step(B, "make", False, 1), Step(A, "make", False, 1), Step(A, "alias", False, 1), Step(A, "person", False, 1),
    Step(A, "their mailbox", True, 1), Step(A, "remove", False, 1), Step(B, "their new one", False, 1),
    Step(A, "finding", False, 1), Step(A, "freeze", False, 1), Step(B, "alias", False, 1),
]  # fmt: skip


def test_the_script_is_silent_as_it_is(runs: Runs) -> None:
    equal(runs, SCRIPT)


def test_a_try_at_their_zone_has_nothing_read_there(runs: Runs) -> None:
    """Found by the soak: whose zone was named by another had a fresh reading, and was told something else by it."""
    equal(runs, [Step(A, "their zone", False, 1), Step(B, "record", True, 1)])


def test_a_second_that_passes_is_nothing_to_see(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the soak: when a security contact is asked again stands in whole seconds, and A's steps take a while."""

    at_once = taken

    def slowly(pair: Pair, step: Step) -> str:
        time.sleep(1.1 if step.side == A else 0)
        return at_once(pair, step)

    monkeypatch.setattr(sys.modules[__name__], "taken", slowly)
    equal(runs, [Step(B, "notes", False, 2), Step(A, "notes", True, 1), Step(B, "notes", False, 3)])


FLAWED = {
    "changes read by all": "ALTER POLICY wall ON changes USING (true)",
    "one count of versions for all": "CREATE FUNCTION one_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
    " $$ BEGIN NEW.version := NEW.version + (SELECT count(*) FROM changes WHERE client_id <> NEW.client_id);"
    " RETURN NEW; END $$; CREATE TRIGGER one_count BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.version IS NOT NULL)"
    " EXECUTE FUNCTION one_count()",
    "everybody sees everything": "CREATE OR REPLACE FUNCTION postroom_everything() RETURNS boolean STABLE LANGUAGE sql"
    " RETURN current_setting('postroom.everything', true) = 'yes' OR current_setting('postroom.person', true) <> ''",
    "a freeze holds everybody": "CREATE FUNCTION everybodys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " NEW.client_id := NULL; RETURN NEW; END $$; ALTER TABLE freezes DISABLE ROW LEVEL SECURITY;"
    " CREATE TRIGGER everybodys BEFORE INSERT ON freezes FOR EACH ROW EXECUTE FUNCTION everybodys()",
}


@pytest.fixture
def flawed(cluster: Cluster, pair_founded: tuple[str, Pair], copies: Copies, request: Any) -> Iterator[None]:
    """The house that every run is a copy of has the flaw, for this test."""
    databases = copies.template(pair_founded[0])
    name = next(databases)
    connection.close()
    with psycopg.connect(cluster.dsn("postgres", name), autocommit=True) as superuser:
        superuser.execute(FLAWED[request.param])
    yield name
    next(databases, None)


@pytest.mark.parametrize("flawed", FLAWED, indirect=True)
def test_a_flaw_in_the_database_is_seen(
    flawed: str, cluster: Cluster, pair_founded: tuple[str, Pair], copies: Copies
) -> None:
    played = runs.__wrapped__(cluster, (flawed, pair_founded[1]), copies)  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="B sees what A did"):
        equal(played, SCRIPT)


def test_how_much_a_node_has_to_do_for_others_is_seen_no_more(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was once: B read the length of the node's whole list."""
    one_node = [Step(A, "domain", False, 1), Step(B, "make", False, 1)]
    equal(runs, one_node)
    monkeypatch.setattr(service, "_left", lambda _: NodeTodo.objects.all())
    with pytest.raises(AssertionError, match="nodes"):
        equal(runs, one_node)


def test_an_answer_that_knows_what_is_there_is_seen(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """B asks for a mailbox that A has, or has not: the refusal says which."""
    from postroom.changes import state

    real = state.not_there

    def chatty(model: Any, ref: Any, where: str) -> Any:
        there = model._meta.db_table == "mailboxes" and is_taken("addresses", [str(ref)])
        return type(real(model, ref, where))(where, "it is not yours" if there else f"no {ref}")

    monkeypatch.setattr(state, "not_there", chatty)
    with pytest.raises(AssertionError, match="B sees what A did"):
        equal(runs, SCRIPT)
