"""What the code itself never does (rows 13, 16, 22, 26, 27, 28, 33), each as a function over a folder.

What is found and fine stands in a list with its reason; a list that outlives what it excuses fails too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import postroom

HOUSE = Path(postroom.__file__).parent
Found = Iterator[str]

EVALUATES = {"eval", "exec", "compile", "__import__", "execfile"}
LOADS = {"pickle", "marshal", "shelve", "dill", "yaml", "jinja2", "imp"}
MARKUP = {"xml", "lxml", "html5lib", "defusedxml"}
SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "commands.getoutput",
    "pty.spawn",
}
FETCHES = {"urllib.request.urlopen", "urlopen", "requests.get", "requests.post", "requests.request", "requests.Session",
           "urllib.request.Request", "http.client.HTTPConnection", "http.client.HTTPSConnection"}  # fmt: skip
UNESCAPED = {"mark_safe", "SafeString", "SafeText"}


def calls(root: Path) -> Iterator[tuple[str, ast.Call, str]]:
    """(file and function, call, dotted name of what is called)."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        yield from ((f"{name} {function}".strip(), node, called) for function, node, called in _calls(path.read_text()))


@cache  # every rule reads the same house
def _calls(text: str) -> list[tuple[str, ast.Call, str]]:
    """(function, call, dotted name of what is called) of one file."""
    nodes = list(ast.walk(ast.parse(text)))
    inside = {id(node): top.name for top in nodes if isinstance(top, ast.FunctionDef) for node in ast.walk(top)}
    return [(inside.get(id(node), ""), node, ast.unparse(node.func)) for node in nodes if isinstance(node, ast.Call)]


def evaluated(root: Path) -> Found:
    """Row 13: a rule somebody typed is data; nothing here turns text into code, or a stream into objects."""
    yield from (f"{where} {called}" for where, _, called in calls(root) if called in EVALUATES)
    yield from imported(root, LOADS)


def imported(root: Path, unwanted: set[str]) -> Found:
    for path in sorted(root.rglob("*.py")):
        names = _imports(path.read_text())
        yield from (f"{path.relative_to(root)} imports {n}" for n in names if n.split(".")[0] in unwanted)


@cache
def _imports(text: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(text)):
        names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return names


def shells(root: Path) -> Found:
    """Row 16: a command is a list of words; no shell reads it."""
    for where, call, called in calls(root):
        if called in SHELLS:
            yield f"{where} {called}"
        if any(word.arg == "shell" and not _is(word.value, False) for word in call.keywords):
            yield f"{where} shell="
        starts = called.split(".")[-1] in ("Popen", "run", "check_output", "check_call") and called.startswith(
            "subprocess"
        )
        if starts and call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp) and not _list(call.args[0]):
            yield f"{where} a command made of text"


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _list(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.left, ast.List | ast.Tuple | ast.BinOp)


def fetches(root: Path) -> Found:
    """Row 28: every place from which an address is fetched, each read for whose word the address is."""
    yield from (f"{where} {called}" for where, _, called in calls(root) if called in FETCHES)


def unescaped(root: Path) -> Found:
    """Rows 22, 23: every place that says of text that it is markup."""
    yield from (f"{where} {called}" for where, _, called in calls(root) if called.split(".")[-1] in UNESCAPED)


def made_open(root: Path) -> Found:
    """Row 33: every place that makes a file, but for host/files.py, which says how wide before anything is in it."""
    for where, call, called in calls(root):
        last = called.split(".")[-1]
        modes = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
        writes = any(isinstance(m, str) and m[:1] in "wax" and set(m) <= set("waxbt+") and m for m in modes)
        made = last in ("write_text", "write_bytes") or (last in ("open", "ZipFile") and writes)
        if made and not where.startswith("host/files.py") and not (last == "open" and "os.open(" in ast.unparse(call)):
            yield f"{where} {last}"


# The rule, and what was read and is fine with its reason.
RULES: dict[str, tuple[Callable[[Path], Found], dict[str, str]]] = {
    "13 nothing typed is evaluated": (evaluated, {}),
    "16 no shell": (shells, {}),
    "26 nothing writes a table for a spreadsheet": (lambda root: imported(root, {"csv", "openpyxl", "xlsxwriter"}), {}),
    "27 nothing reads XML": (lambda root: imported(root, MARKUP), {
        "protocols/mail_settings.py imports xml.etree": "writes documents, reads none",
        "protocols/autoconfig.py imports xml.etree": "the same",
        "protocols/autodiscover.py imports xml.etree": "the same; what is posted is read by defusedxml, without a DTD",
        "protocols/autodiscover.py imports xml.etree.ElementTree": "the name of an error",
        "protocols/autodiscover.py imports defusedxml": "what Outlook posts, 16 KB at most; a bomb is tried (row 27)",
        "protocols/autodiscover.py imports defusedxml.ElementTree": "the same",
    }),
    "28 what is fetched": (fetches, {
        "web/provider.py _json requests.request": "the provider in the settings, and what it names (as_safe_as)",
        "engines/doveadm.py _ask urllib.request.Request": "our own Dovecot, at the node's own address",
        "dns/registrar.py hosted_zones urllib.request.Request": "our own PowerDNS, in a demo",
        "host/answers.py http_get http.client.HTTPConnection": "our own processes, while they start",
        "cli/faults.py _patch urllib.request.Request": "our own PowerDNS, in a demo, by who runs the machine",
        "cli/faults.py _patch urllib.request.urlopen": "the same",
        "cli/remote.py fetch urllib.request.Request": "the API that whoever types the command named",
        "cli/remote.py fetch urllib.request.urlopen": "the same",
        "cli/remote.py ask urllib.request.Request": "the API that whoever types the command named",
        "cli/remote.py ask urllib.request.urlopen": "the same",
    }),
    "22 what is said to be markup": (unescaped, {
        "web/parts/words.py icon mark_safe": "a drawing from our own package",
        "web/parts/words.py words mark_safe": "pieces, each escaped by `piece`",
        "web/parts/words.py piece mark_safe": "a constant",
        "web/parts/words.py badge mark_safe": "a constant",
        "web/templatetags/parts.py hidden_fields mark_safe": "fields, each made by format_html",
        "web/templatetags/parts.py card mark_safe": "links, each made by format_html",
    }),
    "33 files that are made": (made_open, {
        "dns/delegations.py write write_text": "names of zones, which the parent publishes",
        "engines/agent.py start write_text": "a pid",
        "engines/daemons.py start write_text": "a pid",
        "engines/node.py run write_text": "a pid",
        "engines/sieve_box.py dumped write_bytes": "a script to be taken apart, in a box that is emptied",
        "engines/fake_source.py _append open": "a control plane that is a folder, in tests",
        "engines/fake_source.py _write write_text": "the same",
        "host/cluster.py running open": "a log",
        "host/supervise.py _launch open": "a log",
        "resolve/unbound.py prepare write_text": "a configuration that unbound reads, with no secret in it",
        "record/export.py export ZipFile": "into a file that `_new` made for its owner alone",
        "record/export.py _written open": "a member of that archive",
    }),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_row_source(rule: str) -> None:
    check, known = RULES[rule]
    found = set(check(HOUSE))
    assert sorted(found - known.keys()) == []
    assert sorted(known.keys() - found) == [], "what is excused is still there"


BROKEN = {
    "13 nothing typed is evaluated": ["x = eval('1')", "exec(rule)", "import pickle", "from yaml import load",
    "f = compile(a, b, 'exec')"],
    "16 no shell": ["import os\nos.system('x')", "subprocess.run(c, shell=True)", "subprocess.run(f'ls {x}')",
    "subprocess.Popen('a' + b)",
                    "subprocess.run(c, shell=flag)"],
    "26 nothing writes a table for a spreadsheet": ["import csv", "from csv import writer"],
    "27 nothing reads XML": ["import xml.etree.ElementTree", "from lxml import etree"],
    "28 what is fetched": ["requests.get(url)", "urllib.request.urlopen(url)"],
    "22 what is said to be markup": ["mark_safe(x)", "safestring.SafeString(x)"],
    "33 files that are made": ["path.write_text(secret)", "open(path, 'w')", "path.open('xb')",
    "zipfile.ZipFile(p, 'x')", "open(p, mode='a')"],
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in BROKEN.items() for text in texts])
def test_row_source_is_found_where_it_is_planted(rule: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import subprocess\nsubprocess.run(['ls', x], shell=False)\nopen(p, 'rb')\n")
    assert list(RULES[rule][0](tmp_path)) == []
    (tmp_path / "x.py").write_text(text)
    assert list(RULES[rule][0](tmp_path)), text


def test_every_rule_is_broken_once_on_purpose() -> None:
    assert BROKEN.keys() == RULES.keys()
