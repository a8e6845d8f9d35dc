"""Stops of redirects; what a delegation takes the place of."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import Q
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0032_transports")]

    operations = [
        migrations.CreateModel(
            "RedirectStop",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("mailbox", models.ForeignKey("postroom.mailbox", DO_NOTHING, db_index=False, related_name="+")),
                ("target", models.TextField(db_collation="C")),
                ("reason", models.TextField()),
                ("made", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "redirect_stops",
                "verbose_name": "stop of a redirect",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["mailbox", "target"], condition=Q(ended_at=None), name="one_redirect_stop"
                    )
                ],
                "indexes": [models.Index(fields=["mailbox"], name="redirect_stops_of_a_mailbox")],
            },
        ),
        migrations.AddField("delegation", "replaces", ArrayField(models.TextField(), default=list)),
    ]
