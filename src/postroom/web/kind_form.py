"""The plain form of one kind as it is being filled in: one set of parameters, or several of one sort in rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from postroom.access.acting import Actor
from postroom.changes.errors import ChangeError, Problem
from postroom.changes.kind import Kind
from postroom.changes.policy import Proposed
from postroom.changes.schedule import then
from postroom.changes.why import LONGEST as LONGEST_WHY
from postroom.changes.why import too_long
from postroom.queries.objects import NOUNS, one
from postroom.queries.suggest import suggested
from postroom.web.consequences import typed_word
from postroom.web.kind_fields import KEPT, Param, Pickers, params_of, refs, value_of
from postroom.web.kind_fields import field as drawn_field
from postroom.web.parts.forms import Field, Form, FormPart, Rows
from postroom.web.parts.shapes import Act

# Kinds that people do to several objects at once: their parameters stand in rows, all in one change.
MANY = {
    "mailboxes.create": "mailbox", "mailboxes.suspend": "mailbox", "mailboxes.resume": "mailbox",
    "mailboxes.remove": "mailbox", "invites.send": "mailbox", "invites.resend": "invite", "invites.cancel": "invite",
    "exceptions.create": "exception", "forwards.disable": "forward", "forwards.tell_owner": "mailbox",
    "redirects.stop": "redirect", "forwards.replace": "forward", "forwards.stop": "way out",
    "transports.end": "transport",
}  # fmt: skip
OWN = frozenset({"csrfmiddlewaretoken", "step", "seen", "key", "typed", "row_add", "row_drop"})
LONGEST = 10_000
REASON = Field("why", "Why", "textarea", hint="Stands in the record; whoever looks at this later will ask.",
               required=True, maxlength=LONGEST_WHY)  # fmt: skip


@dataclass
class KindForm:
    """What was typed, by field name; rows of several objects are named `row-<n>-<parameter>`."""

    actor: Actor
    kind: type[Kind]
    typed: dict[str, str]
    step: str = ""
    redraw: bool = False
    confirmed: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    unplaced: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.kind.permission

    @property
    def params(self) -> tuple[Param, ...]:
        return params_of(self.kind)

    @property
    def many(self) -> bool:
        return self.name in MANY

    @property
    def why(self) -> str:
        return self.typed.get("why", "").strip()

    @property
    def ticket(self) -> str:
        return self.typed.get("ticket", "").strip()[:100]

    @property
    def at(self) -> datetime | None:
        """Not now, but then (UTC)."""
        text = self.typed.get("not_before", "").strip()
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None

    @classmethod
    def from_address(cls, request: Any, kind: type[Kind]) -> "KindForm":
        """Prefilled by the address: `?mailbox=…`, several times for several rows."""
        made = cls(request.actor, kind, {})
        known = {param.name: param for param in made.params}
        for name, values in request.GET.lists():
            cleaned = [_clean(value) for value in values[:500]]
            if name in ("why", "ticket"):
                made.typed[name] = cleaned[0]
            elif name in known and made.many:
                made.typed |= {f"row-{n}-{name}": value for n, value in enumerate(cleaned)}
            elif name in known and known[name].many:
                made.typed |= {f"{name}-{n}": value for n, value in enumerate(cleaned)}
            elif name in known:
                made.typed[name] = cleaned[0]
        return made

    @classmethod
    def typed_into(cls, request: Any, kind: type[Kind], posted: Any) -> "KindForm":
        return cls(request.actor, kind, {name: _clean(value) for name, value in posted.items() if name not in OWN})

    @classmethod
    def from_post(cls, request: Any, kind: type[Kind]) -> "KindForm":
        made = cls.typed_into(request, kind, request.POST)
        made.step, made.confirmed = str(request.POST.get("step", "")), request.POST.get("typed", "")
        made.redraw = made.step == "edit"
        if more := request.POST.get("row_add"):
            made._one_more(str(more))
        if less := request.POST.get("row_drop"):
            made._one_less(str(less))
        return made

    def _one_more(self, name: str) -> None:
        self.redraw = True
        if name == "rows":
            self.typed[f"row-{max([-1, *self.numbers()]) + 1}-"] = ""
        else:
            taken = [
                int(key.rpartition("-")[2]) for key in self.typed if key.startswith(f"{name}-") and key[-1].isdecimal()
            ]
            self.typed[f"{name}-{max([-1, *taken]) + 1}"] = ""

    def _one_less(self, which: str) -> None:
        """`rows-1`: the second row as shown; `targets-1`: the second value."""
        self.redraw = True
        name, _, place = which.rpartition("-")
        shown = [f"row-{n}-" for n in self.numbers()] if name == "rows" else self._values(name)
        if place.isdecimal() and int(place) < len(shown):
            gone = shown[int(place)]
            going = {key for key in self.typed if key == gone or (name == "rows" and key.startswith(gone))}
            self.typed = {key: value for key, value in self.typed.items() if key not in going}

    def _values(self, name: str) -> list[str]:
        return [key for key in self.typed if key.startswith(f"{name}-")]

    def numbers(self) -> list[int]:
        """The rows, by their numbers, in order."""
        found = {key.split("-", 2)[1] for key in self.typed if key.startswith("row-") and key.count("-") >= 2}
        return sorted(int(number) for number in found if number.isdecimal() and len(number) < 19)

    def prefixes(self) -> list[str]:
        """Where the fields of each set of parameters start: one without a prefix, or one a row that holds something."""
        if not self.many:
            return [""]
        found = [f"row-{n}-" for n in self.numbers()]
        filled = [p for p in found if any(v.strip() for k, v in self.typed.items() if k.startswith(p) and _says(k))]
        return filled or found[:1] or ["row-0-"]

    def kinds(self) -> list[Kind]:
        """The kinds asked for; all that is wrong with what was typed stands in `errors` then."""
        found = []
        for place, prefix in enumerate(self.prefixes()):
            values = {param.name: value_of(param, prefix, self.typed) for param in self.params}
            try:
                found.append(self.kind.model_validate({k: v for k, v in values.items() if v is not None}))
            except ValidationError as error:
                for wrong in error.errors():
                    self._put(place, [str(part) for part in wrong["loc"]], said(wrong))
        if not self.why:
            self.errors["why"] = "Say why; it stands in the record"
        elif wrong_why := too_long(self.why):
            self.errors["why"] = wrong_why
        try:
            then(self.at)
        except ValueError:
            self.errors["not_before"] = "A date and a time, or nothing"
        except Problem as problem:
            self.errors["not_before"] = _capital(problem.what)
        return found

    def add(self, where: str, what: str) -> None:
        """What the core says is wrong: at a parameter, at `3.address` in a list, or at nothing in particular."""
        parts = where.split(".")
        place = int(parts.pop(0)) if parts[0].isdecimal() and len(parts) > 1 else 0
        self._put(place, parts, what)

    def _put(self, place: int, path: Sequence[str], what: str) -> None:
        prefixes = self.prefixes()
        if path and path[0] in self.kind.model_fields:
            name = prefixes[min(place, len(prefixes) - 1)] + path[0]
            self.errors[name] = f"{self.errors[name]}; {what}" if name in self.errors else what
        else:
            self.unplaced.append(f"{path[0]}: {what}" if path and path[0] not in ("", "params") else what)
            self.errors.setdefault("", what)

    def typed_wrong(self, proposed: Proposed) -> str | None:
        """What was typed instead of the word that lets access end for good; None where it is right, or not asked."""
        wanted = self.confirm_word(proposed)
        return self.confirmed if wanted and self.confirmed.strip().lower() != wanted.lower() else None

    def confirm_word(self, proposed: Proposed) -> str:
        one_only = len(proposed.kinds) == 1
        return typed_word(self.name, proposed.kind.model_dump(mode="json")) if one_only else "remove" * (
            self.name.endswith(".remove")
        )  # fmt: skip

    def hidden(self) -> tuple[tuple[str, str], ...]:
        """All that was typed, to be carried along."""
        return tuple(self.typed.items())

    def drawn(self) -> Form:
        """The form as a page shows it. Reads what pickers offer; inside `acting_as`."""
        pickers: Pickers = {ref: suggested(self.actor, ref) for ref in sorted(refs(self.params))}
        kept = self._prefilled()
        parts = [self._rows(pickers)] if self.many else self._fields("", pickers, self.errors)
        return Form(
            fields=(*parts, *self._about()), submit="Show the plan", url=f"/do/{self.name}/", icon="list-details",
            back=Act("Not now", "/do/"), hidden=kept, errors=tuple(self.unplaced),
        )  # fmt: skip

    def _about(self) -> Iterable[FormPart]:
        yield Field(**{**vars(REASON), "value": self.typed.get("why", ""), "error": self.errors.get("why", "")})
        if not any(param.name == "ticket" for param in self.params):  # asked once: the kind's own is the change's too
            yield Field("ticket", "Ticket", value=self.typed.get("ticket", ""), maxlength=100)
        if self.kind.may_wait_for_a_time:
            yield Field("not_before", "Not now, but then (UTC)", "datetime-local", self.typed.get("not_before", ""),
                        error=self.errors.get("not_before", ""))  # fmt: skip

    def _fields(self, prefix: str, pickers: Pickers, errors: dict[str, str]) -> list[Any]:
        return [drawn_field(param, prefix, self.typed, pickers, errors) for param in self.params]

    def _rows(self, pickers: Pickers) -> Rows:
        numbers = self.numbers() or [0]
        rows = tuple(tuple(self._fields(f"row-{n}-", pickers, self.errors)) for n in numbers)
        blank = KindForm(self.actor, self.kind, {})._fields("row-__n__-", pickers, {})
        noun = MANY[self.name]
        label = NOUNS_OF.get(noun, noun)
        return Rows("rows", label, rows, tuple(blank), hint="All in one change: all or nothing.", noun=noun)

    def _prefilled(self) -> tuple[tuple[str, str], ...]:
        """Of a kind that changes fields of one object, its values as they are; kept, to see what differs."""
        kept = {key: value for key, value in self.typed.items() if key.startswith(KEPT)}
        first = self.params[0] if self.params else None
        if kept or not self.name.endswith(".change") or first is None or not self.typed.get(first.name):
            return tuple(kept.items())
        try:
            now = one(self.actor, first.ref, self.typed[first.name]) if first.ref in NOUNS else {}
        except ChangeError:
            return ()
        for param in self.params[1:]:
            if param.name in now and param.name not in self.typed:
                self._fill(param, now[param.name], kept)
        return tuple(kept.items())

    def _fill(self, param: Param, value: Any, kept: dict[str, str]) -> None:
        if param.many:
            listed = [str(item) for item in value or ()]
            kept[KEPT + param.name] = "\n".join(listed)
            self.typed |= {f"{param.name}-{n}": item for n, item in enumerate(listed)}
        elif not isinstance(value, dict):
            text = ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)
            kept[KEPT + param.name] = self.typed[param.name] = text


NOUNS_OF = {"mailbox": "Mailboxes", "exception": "Exceptions", "forward": "Forwards", "redirect": "Redirects",
            "way out": "Ways out"}  # fmt: skip


def _says(key: str) -> bool:
    """Choices that come with a value of their own do not make a row one that was filled in."""
    return not key.endswith(("-kind", "-quota_mb", "-on_end"))


def _clean(text: str) -> str:
    """Line ends as ours are; a NUL, which PostgreSQL refuses, as the sign for what cannot be shown: the types judge."""
    return text.replace("\r\n", "\n").replace("\0", "\ufffd")[:LONGEST]


def said(wrong: Any) -> str:
    """What a type refused, in words."""
    match wrong["type"]:
        case "missing" | "string_too_short" | "too_short":
            return "Fill this in"
        case "literal_error":
            return "Choose one of the list"
        case "int_parsing" | "int_type":
            return "A whole number"
    return _capital(str(wrong["msg"]).removeprefix("Value error, "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
