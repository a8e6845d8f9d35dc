"""Addresses whose mail is handed to another mail server, until a day."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0031_looks_and_views")]

    operations = [
        migrations.CreateModel(
            "Transport",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("address", models.ForeignKey("postroom.address", DO_NOTHING)),
                ("host", models.TextField(db_collation="C")),
                ("port", models.IntegerField()),
                ("tls", models.TextField()),
                ("owner", models.TextField()),
                ("reason", models.TextField()),
                ("until", models.DateTimeField()),
                ("review_on", models.DateField()),
                ("made", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "transport",
                "db_table": "transports",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=["address"], condition=models.Q(ended_at=None), name="one_transport")
                ],
            },
        ),
    ]
