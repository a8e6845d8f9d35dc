"""What a list is asked for: filters from the address, chips to take them away, the way to the next page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from postroom.changes.errors import Problem
from postroom.changes.why import too_long
from postroom.queries.lists import Asked
from postroom.queries.searching import SHORTEST
from postroom.web.parts.forms import Chip, Field, Filters, Option, Pager
from postroom.web.parts.shapes import Act, Empty, Note

LONGEST = 200
STATES = (Option("", "In use"), Option("active", "Active"), Option("suspended", "Suspended"),
          Option("removed", "Removed"))  # fmt: skip
IN_USE = (Option("", "In use"), Option("removed", "Removed"))


class Narrow:
    """The parameters of a list's address, cleaned: no control characters, no more than a person types."""

    def __init__(self, request: Any, *, by_id: bool = False) -> None:
        self.get = {name: clean(value) for name, value in request.GET.items()}
        after = self.get.get("after", "")
        self.after = after if not by_id or is_id(after) else ""
        typed = self.get.get("q", "")
        self.too_short = bool(typed) and len(typed) < SHORTEST
        self.typed = typed

    def __getitem__(self, name: str) -> str:
        return self.get.get(name, "")

    @property
    def asked(self) -> Asked:
        search = "" if self.too_short else self.typed
        return Asked(search, self["client"], self["domain"], self["state"], self["kind"], self.after)

    def url(self, **changes: str) -> str:
        """This list with other parameters; an empty value takes one away."""
        wanted = {**self.get, "after": "", **changes}
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    def filters(self, label: str, fields: Sequence[Field] = ()) -> Filters:
        search = Field("q", f"Search in {label.lower()}", "search", self.typed, placeholder=f"Search {label.lower()}")
        return Filters(label, search, tuple(fields), tuple(self._chips(fields)))

    def _chips(self, fields: Sequence[Field]) -> list[Chip]:
        chips = [Chip(f"“{self.typed}”", self.url(q=""))] if self.typed and not self.too_short else []
        for name, value in self.get.items():
            field = next((one for one in fields if one.name == name), None)
            if value and name not in ("q", "after") and (field or name in ("client", "domain", "object", "person")):
                options = {one.value: one.words for one in field.options} if field else {}
                words = options.get(value, value)
                chips.append(Chip(words if field is None or field.control == "select" else f"{field.label}: {words}",
                                  self.url(**{name: ""})))  # fmt: skip
        return chips

    def select(self, name: str, label: str, options: Sequence[Option]) -> Field:
        return Field(name, label, "select", self[name], options=tuple(options))

    def pager(self, names: Sequence[str], next: str | None, *, next_words: str = "Next") -> Pager | None:
        """What is shown, from where to where; never a total."""
        if not names:
            return None
        shown = f"{len(names)} shown, {names[0]}" + (f" to {names[-1]}" if len(names) > 1 else "")
        return Pager(shown, self.url(after=next) if next else "", next_words, self.url() if self.after else "")

    def notes(self) -> tuple[Note, ...]:
        return (Note(f"Search needs {SHORTEST} characters", "All is shown until then."),) if self.too_short else ()

    def nothing(self, noun: str, words: str, icon: str, acts: Sequence[Act] = ()) -> Empty:
        """An empty list: nothing there yet, or nothing like that."""
        if any(value for name, value in self.get.items() if name != "after"):
            away = Act("Take the filters away", "?", icon="filter-off")
            return Empty(f"No {noun} like that", f"Searched every {noun} you may see.", "search-off", (away,))
        return Empty(f"No {noun} yet", words, icon, tuple(acts))


def clean(text: str) -> str:
    """Without control characters, which no name here holds and PostgreSQL would refuse."""
    return "".join(char for char in text if char.isprintable()).strip()[:LONGEST]


def reason(request: Any) -> str:
    """Why, as it was typed; a NUL, which PostgreSQL refuses, as the sign for what cannot be shown. Problem where it is
    too long: cut, it would stand in the record as nobody wrote it.
    """
    typed = str(request.POST.get("why", "")).replace("\r\n", "\n").replace("\0", "\ufffd").strip()
    if wrong := too_long(typed):
        raise Problem("why", wrong)
    return typed


def scopes(request: Any) -> tuple[Option, ...]:
    """The clients to choose one from."""
    return (Option("", "All clients"), *(Option(slug, name) for name, slug in request.around.clients))


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
