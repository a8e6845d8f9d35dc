"""Destinations: where mail of one sort goes, under a name, for every alias that uses it."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0027_delegations")]

    operations = [
        migrations.CreateModel(
            "Destination",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING, db_index=False)),
                ("name", models.TextField()),
                ("targets", ArrayField(models.TextField())),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "destinations",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["client", "name"], condition=models.Q(removed_at=None), name="one_destination"
                    )
                ],
            },
        ),
        migrations.AddField("alias", "destination", models.ForeignKey("postroom.destination", DO_NOTHING, null=True)),
    ]
