"""Delegations: access of one mailbox's owner to another mailbox."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import Q
from django.db.models.deletion import DO_NOTHING


def text() -> "models.TextField[str, str]":
    return models.TextField()


def of(to: str, **more: object) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(f"postroom.{to}", DO_NOTHING, **more)  # type: ignore[arg-type]


class Migration(migrations.Migration):
    dependencies = [("postroom", "0026_routes")]

    operations = [
        migrations.CreateModel(
            "Delegation",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", of("client")),
                ("mailbox", of("mailbox", db_index=False, related_name="+")),
                ("to_mailbox", of("mailbox", related_name="+")),
                ("rights", ArrayField(text())),
                ("requester", of("person", null=True, db_index=False, related_name="+")),
                ("reason", text()),
                ("made", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("wants", ArrayField(text())),
                ("owner_at", models.DateTimeField(null=True)),
                ("client_at", models.DateTimeField(null=True)),
                ("client_by", of("person", null=True, db_index=False, related_name="+")),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "delegations",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["mailbox", "to_mailbox"],
                        condition=Q(started_at=None, ended_at=None),
                        name="one_asked_for",
                    )
                ],
                "indexes": [models.Index(fields=["mailbox", "-made"], name="delegations_of_a_mailbox")],
            },
        ),
    ]
