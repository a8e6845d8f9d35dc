"""When a node was last asked to look at all scripts at once, and when it had; views that a person saved."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0030_probes")]

    operations = [
        migrations.CreateModel(
            "SieveAsked",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("node", models.OneToOneField("postroom.node", DO_NOTHING, db_constraint=False)),
            ],
            options={"db_table": "sieve_asked"},
        ),
        migrations.CreateModel(
            "SavedView",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.ForeignKey("postroom.person", DO_NOTHING, db_constraint=False, db_index=False)),
                ("name", models.TextField()),
                ("narrowed", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "saved_views",
                "constraints": [models.UniqueConstraint(fields=["person", "name"], name="one_view")],
            },
        ),
    ]
