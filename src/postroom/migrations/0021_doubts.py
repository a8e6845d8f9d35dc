"""What the owner of a mailbox does not know of, though the record has it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0020_reset_codes")]

    operations = [
        migrations.CreateModel(
            name="Doubt",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("entry", models.BigIntegerField()),
                ("said", models.TextField()),
                ("happened", models.DateTimeField()),
                ("severity", models.TextField()),
                ("made", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("outcome", models.TextField(default="")),
                ("client", models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, to="postroom.client")),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="postroom.mailbox"
                    ),
                ),
            ],
            options={
                "verbose_name": "doubt of an owner",
                "db_table": "doubts",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["mailbox", "-id"], name="doubts_of_a_mailbox")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at", None)),
                        fields=("mailbox", "entry"),
                        name="one_doubt_an_entry",
                    )
                ],
            },
        ),
    ]
