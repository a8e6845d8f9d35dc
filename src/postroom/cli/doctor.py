"""postroom doctor: is every piece here, running, in step? Each answer says what was asked, and what was found."""

import json
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import click
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.apps import RECORD, body_of
from postroom.changes.readings import READERS
from postroom.host import answers, pid_files
from postroom.host.installation import Installation
from postroom.host.ports import NUMBERS
from postroom.models import Alarm, Checkpoint, Delivery, Domain, Due, Entry, Node, NodeTodo, Place, Report
from postroom.models.base import state_models
from postroom.posture.checks.sealed_login import HOW_MANY, printed
from postroom.queries.service import DAEMONS, running, untold

from .place import installation

PORTS = ("smtp", "submission", "submissions", "imap", "imaps", "managesieve", "dns", "pdns_api", "postgres")
GREETINGS = {"smtp": b"220 ", "submission": b"220 ", "imap": b"* OK", "managesieve": b'"IMPLEMENTATION"'}
PARTS = ("agent", *DAEMONS)
PROGRAMS = ("postfix", "dovecot", "pdns_server", "postconf", "doveadm", "sievec")
SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
ALIVE = timedelta(seconds=60)
SETTLED = timedelta(seconds=10)  # by then an entry has its place
LATE = timedelta(minutes=5)
ROOM = 500 * 2**20
NOT_PRINTED = f" of {HOW_MANY}: postroom break-glass, on a terminal"
# Those that fire in every session: not switched off, nor for replicas alone. With what they do.
TRIGGERS = (
    "SELECT t.tgrelid::regclass::text, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
    " WHERE t.tgname = %s AND t.tgenabled IN ('O', 'A')"
)


@dataclass(frozen=True)
class Answer:
    """good: True, False, or None for what is not known. words: what was found."""

    asked: str
    good: bool | None
    words: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
def doctor(as_json: bool) -> None:
    """Look at everything this installation needs; exit code 1 if anything is wrong or unknown."""
    found = list(_asked(installation()))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            mark = {True: "ok     ", False: "WRONG  ", None: "unknown"}[one.good]
            click.secho(f"{mark}  {one.asked}: {one.words}", bold=one.good is not True)
    if not all(one.good for one in found):
        raise SystemExit(1)


def _asked(here: Installation) -> Iterator[Answer]:
    yield from _programs()
    yield _room(here)
    yield from _processes(here)
    yield from _ports(here)
    yield _web(here)
    for question in (_migrations, _triggers, _node, _worker, _clock, _overdue, _zone, _kept, _record, _told):
        yield from _safely(question)
    yield from _signer(here)
    if not here.demo:  # where none is printed, and whoever is root gets in by personal sessions
        yield from _safely(_sealed)


def _programs() -> Iterator[Answer]:
    for name in PROGRAMS:
        path = shutil.which(name, path=SBIN)
        yield Answer(f"program {name}", path is not None, path or "not installed: make install")


def _room(here: Installation) -> Answer:
    free = shutil.disk_usage(here.state).free
    return Answer("room for state", free > ROOM, f"{free // 2**20} MB free on {here.state}")


def _processes(here: Installation) -> Iterator[Answer]:
    for one in pid_files.read_all(here.run):
        leader = one.leader()
        yield Answer(f"process {one.path.stem}", leader is not None, f"pid {one.pid}" + ("" if leader else " is gone"))


def _ports(here: Installation) -> Iterator[Answer]:
    """Who greets has to: the kernel takes connections for a program that hangs."""
    for port in PORTS:
        there = answers.tcp(here.address, NUMBERS[port], greeting=GREETINGS.get(port, b""))
        yield Answer(f"port {port}", there, _answers(here.at(port), there))


def _web(here: Installation) -> Answer:
    """That its process lives says little: it has to answer, and without a failure of its own."""
    there = answers.http_get("localhost", here.web_port)
    return Answer("pages", there, _answers(here.origin, there))


def _answers(where: str, there: bool) -> str:
    return f"{where} {'answers' if there else 'does not answer'}"


def _safely(question: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
    """A question that cannot be asked is answered with unknown, and why."""
    try:
        with acting_as(SYSTEM):
            yield from list(question())
    except (OSError, DatabaseError, InterfaceError) as error:
        yield Answer(question.__name__.strip("_"), None, str(error).splitlines()[0])


def _migrations() -> Iterator[Answer]:
    executor = MigrationExecutor(connection)
    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    words = f"{len(left)} migrations are not applied" if left else "all migrations are applied"
    yield Answer("database in step", not left, words)


def _triggers() -> Iterator[Answer]:
    yield _standing("guard on every state table", "postroom_guard", "install", state_models())


def _standing(asked: str, trigger: str, script: str, tables: Collection[str]) -> Answer:
    """Whether the trigger is on all these tables, fires, and does what was installed."""
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS, [trigger])
        found = dict(cursor.fetchall())
    ours = body_of(trigger, script)
    if others := sorted(table for table in found if table in tables and found[table] != ours):
        return Answer(asked, False, f"{trigger} does something else than was installed, on {', '.join(others)}")
    missing = sorted(set(tables) - set(found))
    return Answer(asked, not missing, f"missing on {', '.join(missing)}" if missing else "there")


def _node() -> Iterator[Answer]:
    nodes = list(visible(SYSTEM, Node).filter(removed_at=None))
    if not nodes:
        yield Answer("mail nodes", None, "none has joined yet: nobody has founded the organization")
    for node in nodes:
        beat = Report.objects.filter(node=node, sort="heartbeat").order_by("-at").first()
        if beat is None:
            yield Answer(f"node {node.name}", None, "no heartbeat yet")
            continue
        yield _beat(node, beat)
        left = NodeTodo.objects.filter(node=node).count()
        yield Answer(f"node {node.name} in step", left == 0, f"{left} objects to look at again")


def _beat(node: Node, beat: Report) -> Answer:
    parts = {name: running(beat.facts, name) for name in PARTS}
    down = [name for name, up in parts.items() if up is False]
    missing = [name for name, up in parts.items() if up is None]
    words = f"last heartbeat {_ago(beat.at)}" + (f"; down: {', '.join(down)}" if down else "")
    words += f"; not known: {', '.join(missing)}: {untold(beat.facts)}" if missing else ""
    wrong = down or timezone.now() - beat.at > ALIVE or "parent" in beat.facts
    return Answer(f"node {node.name}", False if wrong else None if missing else True, words)


def _worker() -> Iterator[Answer]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        (beat,) = cursor.fetchone()
    good = beat is not None and timezone.now() - beat < ALIVE
    yield Answer("worker", good, f"last sign of life {_ago(beat)}" if beat else "none has ever worked here")


def _clock() -> Iterator[Answer]:
    first = Due.objects.filter(at__lt=timezone.now() - LATE).order_by("at").first()
    what = (first.kind or f"change {first.change_id}") if first else ""
    words = f"the oldest, {what}, was due {_ago(first.at)}" if first else "none"
    yield Answer("what the clock should have done five minutes ago", first is None, words)


def _overdue() -> Iterator[Answer]:
    left = Delivery.objects.filter(done=False, since__lt=timezone.now() - LATE)
    first = left.order_by("since").first()
    words = f"{left.count()}, the oldest: {first.target} {first.label}: {first.why}" if first else "none"
    yield Answer("deliveries that wait for more than five minutes", first is None, words)


def _zone() -> Iterator[Answer]:
    domain = visible(SYSTEM, Domain).filter(hosting="hosted", removed_at=None).order_by("name").first()
    if domain is None:
        return
    read = READERS[0](domain.name, domain.hosting)
    yield Answer(
        "our name server can be read", not read.failed, read.failed or f"{domain.name}: {len(read.rrsets)} sets"
    )


def _kept() -> Iterator[Answer]:
    yield _standing("record only added to", "postroom_kept", "record", RECORD)


def _record() -> Iterator[Answer]:
    settled = timezone.now() - SETTLED
    left = Entry.objects.filter(at__lt=settled, place=None).count()
    yield Answer("every entry has its place", left == 0, f"{left} have none" if left else "in log and client")
    newest, last = Place.objects.order_by("-log_index").first(), Checkpoint.objects.order_by("-size").first()
    behind = (newest.log_index + 1 if newest else 0) - (last.size if last else 0)
    late = behind > 0 and last is not None and timezone.now() - last.at > ALIVE
    words = f"{behind} entries are not signed yet" if behind else "up to the last entry"
    yield Answer("record signed", None if last is None else not late, words if last else "nothing is signed yet")


def _signer(here: Installation) -> Iterator[Answer]:
    alarm = here.signer / "alarm"
    if alarm.exists():
        yield Answer("the signer", False, f"signs nothing any more: {alarm.read_text().strip()}")


def _told() -> Iterator[Answer]:
    """The signer's own word, wherever it runs."""
    alarm = Alarm.objects.exclude(why="").first()
    if alarm:
        yield Answer("the signer", False, f"signs nothing any more, since {_ago(alarm.since)}: {alarm.why}")


def _sealed() -> Iterator[Answer]:
    there = printed()
    yield Answer("sealed logins", there >= HOW_MANY, f"{there or 'none'} printed" + NOT_PRINTED * (there < HOW_MANY))


def _ago(moment: datetime) -> str:
    return f"{int((timezone.now() - moment).total_seconds())} s ago"
