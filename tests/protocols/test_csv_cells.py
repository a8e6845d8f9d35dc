"""Rows of CSV: nothing in them is a formula, and each is read back as it was."""

from __future__ import annotations

import csv
import io

import pytest

from postroom.protocols.csv_cells import FORMULA, cell, row


@pytest.mark.parametrize("text", [f"{first}cmd|' /C calc'!A0" for first in "=+-@＝＋－＠"] + ["  =1+1", "\t=1", "\r=1"])
def test_what_would_be_a_formula_is_text(text: str) -> None:
    said = cell(text)
    assert said.startswith("'") and not said.lstrip(" ").startswith(FORMULA)


@pytest.mark.parametrize("text", ["Mia", "a-b@c.example", "1,5", 'she said "no"', "a;b", "שלום", "", "5 = 5"])
def test_what_is_none_is_read_back_as_it_was(text: str) -> None:
    assert next(csv.reader(io.StringIO(row([text, "x"])))) == [text, "x"]


def test_a_row_is_one_line_whatever_is_in_it() -> None:
    line = row(["a\r\nb\n", "c\0\u202ed", "e"])
    assert line.endswith('"e"\r\n') and len(line.splitlines()) == 1
    assert next(csv.reader(io.StringIO(line))) == ["a\\u000d\\u000ab\\u000a", "c\\u0000\\u202ed", "e"]
