"""docs/permissions.md says what the code says."""

from pathlib import Path

import pytest

from postroom.access.roles import ROLES
from postroom.changes.kind import KINDS
from postroom.queries import permissions

DOCS = Path(__file__).parents[2] / "docs" / "permissions.md"


def out_of_date(written: str) -> str:
    """What to do about it; empty where it is as it should be."""
    return "" if written == permissions.page() else f"docs/permissions.md is out of date: run {permissions.COMMAND}"


def test_the_permissions_table_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert out_of_date(DOCS.read_text()) == ""
    monkeypatch.setitem(ROLES, "auditor", ROLES["auditor"] | {"clients.remove"})
    assert "postroom permissions > docs/permissions.md" in out_of_date(DOCS.read_text())


def test_every_kind_stands_in_it_once_with_its_marks() -> None:
    lines = {
        line.split(" | ")[0].strip("| `"): line for line in permissions.page().splitlines() if line.startswith("| `")
    }
    assert set(KINDS) <= set(lines)
    grants, tokens, elevate = lines["grants.give"], lines["tokens.create"], lines["grants.elevate"]
    assert "asked: some, approved | mints | may be" in grants and grants.count(" yes ") == 3
    assert "asked | mints | never" in tokens and "asked, approved | mints | always" in elevate
    assert lines["recoveries.approve"].count("yes") == 2 and "`people.recover`" in lines["recoveries.approve"]
    assert "clock" in lines["findings.lapse"] and "yes" not in lines["findings.lapse"]
