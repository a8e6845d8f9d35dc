"""What is still to be done for applied changes, by whom and when. Written by the `changes` package alone."""

from django.db import models
from django.db.models.functions import Now

from .clients import Client, Node
from .people import Person
from .record import Change


class Delivery(models.Model):
    """What one target still has to do, or did, for a change.

    target: nodes, zone, mail, or end. object: the node, the domain, the invite, the line. attempt: raised by who takes
    it up, so a worker that slept past its turn finds its number gone and writes nothing.
    """

    change = models.ForeignKey(Change, models.DO_NOTHING)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    target = models.TextField()
    object = models.UUIDField(null=True)
    label = models.TextField(default="")
    evidence = models.JSONField(null=True)
    done = models.BooleanField(default=False)
    why = models.TextField(default="")
    since = models.DateTimeField(db_default=Now())
    next_try = models.DateTimeField(null=True)
    attempt = models.IntegerField(default=0)

    class Meta:
        db_table = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["change", "target", "object"], name="one_delivery", nulls_distinct=False)
        ]
        indexes = [
            models.Index(fields=["next_try"], name="deliveries_left", condition=models.Q(done=False)),
            models.Index(fields=["object"], name="deliveries_of_mail", condition=models.Q(target="mail")),
        ]


class NodeTodo(models.Model):
    """An object a node must look at again: a set, so nothing can be skipped."""

    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False)
    object = models.TextField()
    object_id = models.UUIDField()
    change = models.ForeignKey(Change, models.DO_NOTHING, db_constraint=False, null=True)

    class Meta:
        db_table = "node_todo"
        indexes = [
            models.Index(fields=["node", "id"], name="todo_of_a_node"),
            models.Index(fields=["object_id"], name="todo_about_an_object"),
        ]


class Due(models.Model):
    """What the clock shall do: apply a change that waits for its time, or submit a kind.

    With both, the kind is about that change, and goes with it when it waits no more.
    """

    at = models.DateTimeField()
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    change = models.ForeignKey(Change, models.DO_NOTHING, null=True)
    kind = models.TextField(default="")
    params = models.JSONField(default=dict)

    class Meta:
        db_table = "due"
        indexes = [models.Index(fields=["at"], name="due_by_time")]


class Review(models.Model):
    """An open task for an approver other than the actor: something went through that is looked at afterwards."""

    change = models.ForeignKey(Change, models.DO_NOTHING)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    reason = models.TextField()
    until = models.DateTimeField()
    closed_by = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reviews"
