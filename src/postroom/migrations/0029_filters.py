"""Filters: the script of a mailbox that is kept here."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0028_destinations")]

    operations = [
        migrations.CreateModel(
            "Filter",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("mailbox", models.ForeignKey("postroom.mailbox", DO_NOTHING, db_index=False, related_name="+")),
                ("text", models.TextField(default="")),
                ("active", models.BooleanField(default=True)),
                ("clears", models.BooleanField(default=False)),
                ("revision", models.IntegerField(default=1)),
                ("made", models.DateTimeField()),
            ],
            options={
                "db_table": "filters",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=["mailbox"], name="one_filter_a_mailbox")],
            },
        ),
    ]
