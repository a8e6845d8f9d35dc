"""postroom check: any domains, asked of a resolver, without an installation."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from judged_zone import ACME, CLEAN, FAILS, Zone
from postroom.cli import check as checking
from postroom.cli import main
from served_zone import served

OTHER = "other.example"
NAKED: Zone = {(OTHER, "NS"): ("ns1.northlight.example", "ns2.northlight.example"), (OTHER, "MX"): ((0, ""),)}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    hostile = {("_dmarc.evil.example", "TXT"): ("v=DMARC1; p=\x1b[31mreject\u0085=cmd",)}
    with served(CLEAN | NAKED | hostile | {("dead.example", type): FAILS for type in ("MX", "TXT", "NS", "A")}) as at:
        yield at


def typed(server: str, *words: str, **more: Any) -> Result:
    return CliRunner().invoke(main, ["check", "--server", server, "--no-policies", *words], **more)


def test_a_clean_domain_is_clean_but_for_the_policy_that_was_not_fetched(server: str) -> None:
    result = typed(server, ACME)
    assert result.exit_code == checking.UNKNOWN, result.output
    lines = [line for line in result.output.splitlines() if line.startswith("  ")]
    assert [line.split()[0] for line in lines] == ["unknown"] and "mta_sts.unread" in lines[0]
    everything = typed(server, ACME, "--all").output
    for rule in ("mx.good", "spf.good", "dkim.good", "dmarc.reject", "tls_rpt.good", "ns.good", "caa.good"):
        assert f"[{rule}, " in everything, "its selector is one that is often used, so it was found"


def test_what_is_bad_is_said_with_what_to_publish(server: str) -> None:
    result = typed(server, OTHER)
    assert result.exit_code == checking.BAD
    assert f"{OTHER} has no SPF record" in result.output and "[spf.none, RFC 7208, 3]" in result.output
    assert "_dmarc.other.example. 3600 IN TXT" in result.output


def test_many_are_a_table_in_the_order_in_which_they_come_and_each_once(server: str, tmp_path: Path) -> None:
    listed = tmp_path / "domains"
    listed.write_text(f"# ours\n{ACME}\n\nOTHER.example.  # theirs\n{OTHER}\n")
    result = typed(server, "--file", str(listed))
    rows = [line for line in result.output.splitlines() if line and not line.startswith(" ")]
    assert rows[0].split()[:4] == ["domain", "mx", "spf", "dkim"]
    assert sorted(row.split()[0] for row in rows[1:-1]) == [ACME, OTHER]
    assert rows[-1] == "2 domains by the worst of each: 1 bad, 1 unknown"


def test_as_json_and_as_csv(server: str) -> None:
    found = json.loads(typed(server, ACME, OTHER, "--format", "json").output)
    by = {one["domain"]: {each["rule"]: each for each in one["results"]} for one in found}
    assert set(by[ACME]) == {"mta_sts.unread"} and by[OTHER]["spf.none"]["level"] == "bad"
    assert by[OTHER]["dmarc.none"]["publish"]["type"] == "TXT"
    rows = list(csv.DictReader(io.StringIO(typed(server, OTHER, "--format", "csv").output.lstrip("\ufeff"))))
    assert {row["rule"] for row in rows} >= {"spf.none", "dmarc.none"} and {row["domain"] for row in rows} == {OTHER}


def test_what_a_resolver_cannot_say_is_unknown(server: str) -> None:
    result = typed(server, "dead.example", "--all")
    assert "mx.unknown" in result.output and "spf.unknown" in result.output
    assert "mx.none" not in result.output and "spf.none" not in result.output


def test_what_others_wrote_does_not_reach_the_terminal_as_it_is(server: str) -> None:
    for form in ("table", "csv"):
        output = typed(server, "evil.example", "--format", form, "--all").output
        assert "\x1b" not in output and "\u0085" not in output and "dmarc." in output


def test_all_that_is_no_domain_is_said_at_once_and_nothing_is_asked(server: str) -> None:
    result = typed(server, "acme..example", "--file", "-", input="ok.example\nno domain\n")
    assert result.exit_code == 2
    assert "argument 1: " in result.output and "line 2: " in result.output and "ok.example" not in result.output
    assert "say at least one domain" in typed(server).output


@pytest.mark.parametrize("server", ["mx.example", "127.0.0.1:99999", "1.2.3"])
def test_whom_to_ask_is_an_address(server: str) -> None:
    result = typed(server, ACME)
    assert result.exit_code == 2 and f"--server {server}: " in result.output


def test_without_a_resolver_on_this_machine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for text, words in (("search x\n", "names no resolver"), (None, "cannot be read")):
        file = tmp_path / "resolv.conf"
        file.write_text(text) if text else file.unlink()
        monkeypatch.setattr(checking, "RESOLVERS", file)
        result = CliRunner().invoke(main, ["check", ACME])
        assert result.exit_code == 1 and words in result.output and "--server" in result.output
