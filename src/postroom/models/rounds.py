"""Rounds: what is asked of a client every quarter, and each line of it that somebody answers.

Two sorts. An *access review* asks an approver of every right at a client whether it stays; a *roster* asks the client
of each of its people and mailboxes whether it is still there.
"""

from django.db import models
from django.db.models import Exists, OuterRef, Q

from .base import StateModel
from .clients import Client
from .mailboxes import Mailbox
from .people import Person

ACCESS, ROSTER = "access review", "roster"
RIGHTS = ("grants", "api_tokens", "delegations")  # what the lines of an access review are about
THERE = ("mailboxes", "people")  # and of a roster


class Round(StateModel):
    """One access review or roster of one client, of one quarter. Answered until the next one of its sort opens.

    due_at: when every line shall be answered. What is not by then is a finding.
    """

    for_good = True
    client = models.ForeignKey(Client, models.DO_NOTHING, db_index=False)  # the first column of a constraint below
    sort = models.TextField()
    quarter = models.TextField(db_collation="C")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "rounds"
        constraints = [models.UniqueConstraint(fields=["client", "sort", "quarter"], name="one_round_a_quarter")]


class RoundLine(StateModel):
    """One right (a delegation is one), mailbox or person, as it stood when its round opened; and what was answered.

    noun, object: which row it is about. person: whose right it is. stood: what was so then, nothing of the
    organization's own in it that the client may not read, since a line is in the client's record. answer: empty while
    there is none. note: why, as it stands in the change. saw: what was so when it was answered. on_behalf: the answer
    of a roster was told to the organization, and entered by it.
    """

    for_good = True
    client = models.ForeignKey(Client, models.DO_NOTHING, db_index=False)  # the first column of an index below
    round = models.ForeignKey(Round, models.DO_NOTHING, related_name="lines", db_index=False)
    noun = models.TextField()
    object = models.UUIDField()
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    name = models.TextField()
    stood = models.JSONField()
    answer = models.TextField(default="")
    note = models.TextField(default="")
    saw = models.JSONField(default=dict)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    on_behalf = models.BooleanField(default=False)

    class Meta(StateModel.Meta):
        db_table = "round_lines"
        verbose_name = "line"
        indexes = [
            models.Index(fields=["round", "id"], name="lines_of_a_round"),
            models.Index(fields=["round"], name="lines_not_answered", condition=Q(answer="")),
            models.Index(fields=["client", "object", "-answered_at"], name="lines_of_an_object"),
            models.Index(fields=["answer"], name="lines_to_act_on", condition=Q(answer__in=("end", "change", "left"))),
        ]


def newer() -> Exists:
    """Of rounds: whether a later one of the same sort was opened for the client since; then this one is closed."""
    later = Round.objects.filter(client=OuterRef("client"), sort=OuterRef("sort"), quarter__gt=OuterRef("quarter"))
    return Exists(later)


def answered_since() -> Exists:
    """Of lines: whether the same object was answered about later, in another round."""
    same = RoundLine.objects.filter(client=OuterRef("client"), object=OuterRef("object"))
    return Exists(same.filter(answered_at__gt=OuterRef("answered_at")))


def to_answer() -> Q:
    """Of lines: those without an answer. A mailbox or person removed meanwhile wants none."""
    gone = [
        Exists(model.objects.filter(pk=OuterRef("object"), removed_at__isnull=False)) for model in (Mailbox, Person)
    ]
    return Q(answer="") & ~Q(*gone, _connector=Q.OR)
