"""What was chosen at several clients, done as a batch: one change a client, planned, shown and sent together."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.actor import Actor
from postroom.changes import step_up
from postroom.changes.batch import submit_batch
from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import Kind
from postroom.changes.pipeline import dry_run
from postroom.changes.policy import Proposed
from postroom.models import Change
from postroom.queries.changes import previewed
from postroom.queries.naming import Names
from postroom.web.consequences import CLOSES, consequence, untouched
from postroom.web.framed import freeze_notes
from postroom.web.kind_form import KindForm
from postroom.web.parts.change_pages import PlanPage
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Act, Code, Crumb, Fact, PageHead, Words
from postroom.web.plan_page import MOVED
from postroom.web.plans import likeness, objects, verdicts
from postroom.web.step_up import fresh
from postroom.web.titles import called

AT_ONCE = "Each client's part is applied in its own step: one may go stale while the others stand."
HELD = "All of it is held for a second person, who sees exactly these plans."


def together(request: Any, asked: KindForm, kinds: Sequence[Kind]) -> HttpResponse:
    """The plan of all parts, or, where that was seen, the batch. ChangeError."""
    if asked.at:
        raise Problem("not_before", "what is of several clients is sent now; or ask for it client by client")
    key = str(request.POST.get("key", ""))[:64]
    if asked.step == "send" and key and (made := _made_already(request.actor, key)):
        return HttpResponseRedirect(f"/batches/{made}/")
    parts = _apart(kinds, request.actor, asked.why)
    proposed = [dry_run(part, actor=request.actor, why=asked.why) for part in parts]
    seen = hashlib.sha256("".join(map(likeness, proposed)).encode()).hexdigest()
    wrong_word = bool(_word(asked)) and asked.confirmed.strip().lower() != _word(asked)
    if asked.step != "send" or request.POST.get("seen") != seen or wrong_word:
        sent = asked.step == "send"
        return _page(request, asked, proposed, seen, key=key or str(uuid4()), moved=sent and not wrong_word,
                     typed=asked.confirmed if sent and wrong_word else None)  # fmt: skip
    step_up.before(kinds, actor=request.actor, fresh=fresh(request))
    batch = submit_batch(parts, actor=request.actor, why=asked.why, ticket=asked.ticket, key=key or None)
    return HttpResponseRedirect(f"/batches/{batch.pk}/")


def _apart(kinds: Sequence[Kind], actor: Actor, why: str) -> list[list[Kind]]:
    """The same, a list a client, in the order in which the clients come."""
    parts: dict[UUID | None, list[Kind]] = {}
    for n, one in enumerate(kinds):
        try:
            client = dry_run(one, actor=actor, why=why).plan.client
        except Problem as problem:
            raise problem.inside(n) from None
        except Problems as found:
            raise Problems([problem.inside(n) for problem in found.problems]) from None
        parts.setdefault(client, []).append(one)
    return list(parts.values())


def _made_already(actor: Actor, key: str) -> UUID | None:
    """The button was pressed twice: the batch of the first press."""
    with acting_as(actor):
        mine = Change.objects.filter(proposer_id=actor.person, key=f"{key} of a batch, 0")
        return mine.values_list("batch_id", flat=True).first()


def _word(asked: KindForm) -> str:
    return "remove" if asked.name.endswith(".remove") else ""


def _page(
    request: Any, asked: KindForm, proposed: Sequence[Proposed], seen: str, *, key: str, moved: bool, typed: str | None
) -> HttpResponse:
    with acting_as(request.actor):
        found = [previewed(one) for one in proposed]
        edits = [edit for one in found for edit in one["edits"]]
        names, says = Names(edits), {v["says"] for one in found for v in one["verdicts"]}
        title = f"{called(asked.name)}, at {len(proposed)} clients"
        form = None if "refuse" in says else _form(asked, title, seen, key, held="hold" in says, typed=typed)
        shown = PlanPage(
            head=PageHead(f"The plan: {title[:1].lower()}{title[1:]}", "Nothing is changed yet", crumbs=_crumbs(asked)),
            notes=(*((MOVED,) if moved else ()), *freeze_notes(request)), objects=objects(edits, names),
            objects_sub=f"{len(edits):,} objects of {len(proposed)} clients",
            not_touched=untouched({edit["table"] for edit in edits}),
            verdicts=tuple(v for one in found for v in verdicts(one["verdicts"])), form=form,
            facts=(Fact("Asked by", request.actor.name), Fact("Why", asked.why),
                   Fact("Ticket", asked.ticket or "none"), Fact("Kind", Code(asked.name))),
            what=_what(asked, says), back=_back(asked),
        )  # fmt: skip
    answer = render(request, "plan.html", {"page": shown}, status=422 if typed is not None else 200)
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _what(asked: KindForm, says: set[str]) -> tuple[Words, ...]:
    said = [consequence(asked.name)]
    if "refuse" not in says:  # else the page says that it is refused, and by what
        said.append(HELD if "hold" in says else AT_ONCE)
    return tuple(filter(None, said))


def _form(asked: KindForm, title: str, seen: str, key: str, *, held: bool, typed: str | None) -> Form:
    word = _word(asked)
    error = f"This is not {word}" if typed is not None else ""
    fields = (Field("typed", f"Type {word} to go on", value=typed or "", error=error, required=True),) if word else ()
    weight = "danger" if asked.name in CLOSES and not held else "primary"
    hidden = (*asked.hidden(), ("step", "send"), ("seen", seen), ("key", key))
    words = f"Propose it: {title[:1].lower()}{title[1:]}" if held else title
    return Form(fields, words, f"/do/{asked.name}/", weight, "send" if held else "check", hidden=hidden)  # type: ignore[arg-type]


def _crumbs(asked: KindForm) -> tuple[Crumb, ...]:
    return Crumb("What can be done", "/do/"), Crumb("The form", f"/do/{asked.name}/")


def _back(asked: KindForm) -> Act:
    return Act("Change it", f"/do/{asked.name}/", "pencil", method="post", hidden=(*asked.hidden(), ("step", "edit")))
