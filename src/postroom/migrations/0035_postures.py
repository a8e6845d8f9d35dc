"""What was last found of each domain's DNS by the rules mail is judged by."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0034_last_hits")]

    operations = [
        migrations.CreateModel(
            "Posture",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING, db_constraint=False)),
                ("domain", models.OneToOneField("postroom.domain", DO_NOTHING, db_constraint=False)),
                ("since", models.DateTimeField()),
                ("level", models.TextField()),
                ("levels", models.JSONField(default=dict)),
                ("results", models.JSONField(default=list)),
                ("unfinished", models.TextField(default="")),
            ],
            options={
                "db_table": "postures",
                "indexes": [models.Index(fields=["at"], name="postures_oldest_first")],
            },
        ),
    ]
