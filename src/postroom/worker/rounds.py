"""Every quarter: an access review and a roster for each client, the roster's letter; and what was signed to end, ended.

Once a quarter and client however many workers look: the key of the change is the client and the quarter. After a time
in which nobody looked there is one round, for now.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from email.message import EmailMessage
from functools import partial

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone

from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.carry import Outcome
from postroom.changes.errors import ChangeError, NothingToDo
from postroom.changes.kind import Kind
from postroom.changes.kinds.delegations import EndDelegation
from postroom.changes.kinds.grants import EndGrant
from postroom.changes.kinds.rounds import OpenAccessReview, OpenRoster
from postroom.changes.kinds.tokens import EndToken
from postroom.changes.pipeline import submit
from postroom.models import Change, Client, Delivery, Letter, Organization, Person, Round, RoundLine
from postroom.models.base import made_at
from postroom.models.rounds import ACCESS, ROSTER
from postroom.protocols.quarters import is_due, quarter_of

WHY = "every quarter"
TEXT = """Hello,

once a quarter {organization} asks who of {client} is still there. Please sign in and say of each
mailbox and person: still here, left, or unknown. There are {lines} of them; please answer until {due}.

{link}

Nothing is suspended by your answer: where somebody left, {organization} sees it and it can be
suspended by a button. Answers can be corrected until the next roster.
"""


def quarterly(now: datetime | None = None) -> Iterator[Callable[[], object]]:
    """A piece of work for each client and sort that has no round of this quarter yet."""
    at = now or timezone.now()
    with acting_as(SYSTEM):
        left = [*_due(ACCESS, at, closed_at=None), *_due(ROSTER, at)]
    yield from (partial(opened, sort, slug, f"{sort} {slug} {quarter_of(at)}") for sort, slug in left)


def _due(sort: str, at: datetime, **those: object) -> Iterator[tuple[str, str]]:
    newest = Max("round__quarter", filter=Q(round__sort=sort))
    for one in Client.objects.filter(removed_at=None, **those).annotate(newest=newest).order_by("id"):
        if is_due(made_at(one.pk), one.newest or "", at):
            yield sort, one.slug


def opened(sort: str, client: str, key: str) -> Change | None:
    kind: Kind = OpenAccessReview(client=client) if sort == ACCESS else OpenRoster(client=client)
    try:
        return submit(kind, actor=SYSTEM, why=WHY, key=key)
    except ChangeError:
        return None  # closed, removed or opened meanwhile, or nobody is there


def letter(about: Letter) -> EmailMessage:
    """What a client's admins get: a link to the page, which asks who they are. Nothing typed stands in a header."""
    with acting_as(SYSTEM):
        round = Round.objects.select_related("client").get(pk=about.about)
        organization, lines = Organization.objects.get().name, f"{round.lines.count():,}"
    found = EmailMessage()
    found["Subject"] = "Who is still there? Your roster of this quarter"
    found.set_content(TEXT.format(
        organization=organization, client=round.client.name, lines=lines, due=f"{round.due_at:%d %B %Y}",
        link=f"{settings.POSTROOM.origin}/rosters/{round.pk}/",
    ))  # fmt: skip
    return found


def end_right(change: Change, delivery: Delivery) -> Outcome:
    """What was signed to end, as a change of its own in the name of who signed it: it meets what any other would.

    It is asked for once. Refused, it stands so at the line, and is a finding until the right has ended.
    """
    with acting_as(SYSTEM):
        line = RoundLine.objects.filter(pk=delivery.object, answer="end").first()
        signer = Person.objects.filter(pk=change.proposer_id).first()
    if line is None or signer is None:
        return _said("is it still to end?", "no: it was signed otherwise since", ended=None)
    kind = _ends(line.noun, str(line.object))
    why, key = f"signed to end in an access review: {line.note}", f"{change.pk} {kind.permission} {line.pk} 0"
    try:
        made = submit(kind, actor=Actor(signer.pk, signer.name), why=why, key=key, caused_by=change)
    except NothingToDo:
        return _said(kind.permission, "it had ended already", ended=True)
    except ChangeError as error:
        return _said(kind.permission, f"refused: {error}", ended=False)
    reasons = "; ".join(verdict["reason"] for verdict in made.verdicts)
    return _said(kind.permission, f"{made.stage}: {reasons}" if reasons else made.stage, ended=made.version is not None)


def _ends(noun: str, id: str) -> Kind:
    if noun == "delegations":
        return EndDelegation(delegation=id)
    return EndGrant(grant=id) if noun == "grants" else EndToken(token=id)


def _said(question: str, answer: str, *, ended: bool | None) -> Outcome:
    """ended: None where it is not to end any more. That it was asked for is done; that it ended is another matter."""
    return Outcome(evidence=[{"question": question, "answer": answer, "ended": ended}])
