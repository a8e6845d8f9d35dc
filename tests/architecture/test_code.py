"""The house as it is keeps its rules; and each rule finds it when it is broken on purpose."""

from collections.abc import Callable
from pathlib import Path

import checks
import pytest

import postroom
from postroom.models.base import state_models

HOUSE = Path(postroom.__file__).parent
TESTS = Path(__file__).parent.parent
STATE = {model.__name__ for model in state_models().values()}

# The loop of the worker, the top of the agent's process: what goes wrong there is logged, and the next turn comes.
CATCH_EVERYTHING = {"worker/clock.py", "engines/agent.py"}

# Statements put together from strings, each read: what is put in is a name of ours (a table, a column), never a value.
REVIEWED = {
    "changes/apply.py lock",
    "changes/apply.py _set_version",
    "changes/deliver.py _named",
    "changes/record.py _by_copy",
    "engines/compile.py _write",
    "engines/by_time.py next_end",
    "engines/digests.py _rows",
    "engines/maps.py _grow",
    "engines/source_pg.py _connected",
    "host/cluster.py found",
    "host/cluster.py make_member",
}

# Sign-in rows are the sign-in library's and no state; doctor asks PostgreSQL about itself.
BY_HAND = {"web/entries.py connection.cursor", "cli/doctor.py connection.cursor"}

# Attacks that must fail: a test says TRUNCATE to see it refused.
SAYS_TRUNCATE = {
    "changes/test_walls.py",
    "record/test_sequencer.py",
    "record/test_signer.py",
    "architecture/checks.py",
    "architecture/test_code.py",
    "conftest.py",
}

RULES: dict[str, tuple[Callable[[Path], checks.Found], Path, set[str]]] = {
    "imports point down": (checks.imports_that_point_up, HOUSE, set()),
    "libraries know no Django": (checks.libraries_that_know_django, HOUSE, set()),
    "files and functions are small": (checks.sizes, HOUSE, set()),
    "names say something": (checks.names_that_say_nothing, HOUSE, set()),
    "modules say what they are": (checks.modules_that_do_not_say_what_they_are, HOUSE, set()),
    "errors are named": (checks.catches_of_everything, HOUSE, CATCH_EVERYTHING),
    "jobs go with their transaction": (checks.asynchronous_defers, HOUSE, set()),
    "statements are constants": (checks.built_sql, HOUSE, REVIEWED),
    "rows are reached through the person asking": (
        lambda root: checks.rows_behind_the_back_of_visible(root, STATE), HOUSE, BY_HAND,
    ),
    "queries only read": (checks.queries_that_write, HOUSE, set()),
    "tests empty no tables": (checks.truncates, TESTS, SAYS_TRUNCATE),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps(rule: str) -> None:
    check, folder, reviewed = RULES[rule]
    assert sorted(set(check(folder)) - reviewed) == []


@pytest.mark.parametrize("rule", [rule for rule, (_, _, reviewed) in RULES.items() if reviewed])
def test_what_was_reviewed_is_still_there(rule: str) -> None:
    """A list of exceptions that outlives them would let the next one in unseen."""
    check, folder, reviewed = RULES[rule]
    needed = reviewed if rule != "tests empty no tables" else {"changes/test_walls.py"}
    assert sorted(needed - set(check(folder))) == []


LONG = "def f():\n" + "    x = 1\n" * 41

# rule: (file, what stands in it)+ → each of these must be found
BROKEN: dict[str, list[tuple[str, str]]] = {
    "imports point down": [
        ("models/x.py", "from postroom.access.acting import Actor"),
        ("models/y.py", "import postroom.changes.apply"),
        ("protocols/x.py", "from ..models import Client"),
        ("changes/x.py", "from postroom.changes.kinds.mailboxes import CreateMailbox"),
        ("changes/y.py", "from .policies.frozen import frozen"),
        ("changes/z.py", "from . import kinds"),
        ("changes/w.py", "def f():\n    from postroom.web import door"),
        ("changes/policies/x.py", "from postroom.changes.kinds import mailboxes"),
        ("changes/kinds/x.py", "from postroom.queries import page"),
        ("queries/x.py", "from postroom.api.door import door"),
        ("changes/v.py", "from postroom.catalogue import KINDS"),
        ("posture/checks/x.py", "from postroom.changes.pipeline import submit"),
    ],
    "libraries know no Django": [
        ("engines/x.py", "from django.db import connection"),
        ("dns/x.py", "import django"),
        ("host/x.py", "from postroom.models import Client"),
        ("resolve/x.py", "from postroom.models.domains import Domain"),
    ],
    "files and functions are small": [
        ("a.py", "x = 1\n" * 301),
        ("b.py", LONG),
        ("c.py", LONG.replace("def", "async def")),
        ("d.py", "class A:\n    " + LONG.replace("\n", "\n    ")),
    ],
    "queries only read": [
        ("queries/x.py", "def f(rows):\n    rows.filter(a=1).update(b=2)"),
        ("queries/y.py", "def f(rows):\n    rows.all().delete()"),
    ],
    "names say something": [("utils.py", ""), ("web/helpers.py", ""), ("common/x.py", "")],
    "modules say what they are": [("a.py", "import os"), ("b.py", "# a comment\nx = 1")],
    "errors are named": [
        ("a.py", "try:\n    pass\nexcept Exception:\n    pass"),
        ("b.py", "try:\n    pass\nexcept:\n    pass"),
        ("c.py", "try:\n    pass\nexcept (ValueError, Exception) as e:\n    raise KeyError"),
        ("d.py", "try:\n    pass\nexcept BaseException:\n    print()"),
    ],
    "jobs go with their transaction": [("a.py", "async def f(task):\n    await task.defer_async()")],
    "statements are constants": [
        ("a.py", "def f(cursor, who):\n    cursor.execute(f\"SELECT * FROM t WHERE name = '{who}'\")"),
        ("b.py", "def f(cursor, who):\n    cursor.execute('SELECT ' + who)"),
        ("c.py", "def f(cursor, who):\n    cursor.execute('SELECT %s' % who)"),
        ("d.py", "def f(cursor, who):\n    cursor.execute('SELECT {}'.format(who))"),
        ("e.py", "def f(Model, who):\n    Model.objects.raw(f'SELECT {who}')"),
    ],
    "rows are reached through the person asking": [
        ("web/x.py", "def f():\n    return Client.objects.all()"),
        ("api/x.py", "def f(id):\n    return models.Mailbox.objects.get(pk=id)"),
        ("cli/x.py", "def f():\n    return Grant._base_manager.first()"),
        ("queries/x.py", "def f():\n    return Person.objects.filter(name='x')"),
        ("queries/y.py", "def f():\n    with connection.cursor() as c:\n        pass"),
    ],
    "tests empty no tables": [("test_x.py", "sql('truncate mailboxes')")],
}


@pytest.mark.parametrize(
    ("rule", "file", "text"), [(rule, *broken) for rule, files in BROKEN.items() for broken in files]
)
def test_a_broken_rule_is_found(rule: str, file: str, text: str, tmp_path: Path) -> None:
    check = RULES[rule][0]
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text('"""Fine."""\n')
    assert list(check(tmp_path)) == [] or rule == "names say something"
    (tmp_path / file).write_text(text)
    assert list(check(tmp_path)), f"{rule}: not found in {text!r}"


def test_every_rule_is_broken_once_on_purpose() -> None:
    assert BROKEN.keys() == RULES.keys()


def test_what_is_allowed_is_not_found(tmp_path: Path) -> None:
    """The other side: a rule that finds everything would hold nothing."""
    allowed = {
        "changes/kinds/x.py": "from postroom.changes.plan import edit\nfrom postroom.models import Client",
        "changes/x.py": "from . import apply\nfrom .plan import Plan\nfrom postroom.access.acting import Actor",
        "web/x.py": "from postroom.queries import page\nfrom postroom.changes.pipeline import submit",
        "engines/x.py": "from postroom.protocols import dkim\nimport djangolike",
        "a.py": "try:\n    pass\nexcept BaseException:\n    print()\n    raise",
        "queries/x.py": "def f(actor):\n    return visible(actor, Client).all(), Change.objects.all()",
        "b.py": "def f(cursor, who):\n    cursor.execute('SELECT %s', [who])",
    }
    for file, text in allowed.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f'"""What it is."""\n{text}\n')
    for rule, (check, _, _) in RULES.items():
        assert list(check(tmp_path)) == [], rule


def test_no_two_files_of_tests_have_one_name() -> None:
    """Tests are no packages: of two with one name, a run of both takes one of them for the other, and collects none."""
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
