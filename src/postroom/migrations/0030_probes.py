"""Probes, and where each was computed and seen to end."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


def seen(to: str) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(f"postroom.{to}", DO_NOTHING, db_constraint=False, db_index=False)


class Migration(migrations.Migration):
    dependencies = [("postroom", "0029_filters")]

    operations = [
        migrations.CreateModel(
            "Probe",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("domain", models.ForeignKey("postroom.domain", DO_NOTHING)),
                ("address", models.TextField(db_collation="C")),
                ("made", models.DateTimeField()),
            ],
            options={
                "db_table": "probes",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["address", "-made"], name="probes_to_an_address")],
            },
        ),
        migrations.CreateModel(
            "ProbeLanding",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("client", seen("client")),
                ("domain", seen("domain")),
                ("probe", seen("probe")),
                ("of", models.UUIDField(null=True)),
                ("sort", models.TextField()),
                ("address", models.TextField(db_collation="C")),
                ("predicted", models.BooleanField(default=False)),
                ("sometimes", models.BooleanField(default=False)),
                ("why", models.TextField(default="")),
                ("seen_at", models.DateTimeField(null=True)),
                ("folder", models.TextField(default="")),
                ("status", models.TextField(default="")),
                ("said", models.TextField(default="")),
            ],
            options={
                "db_table": "probe_landings",
                "constraints": [models.UniqueConstraint(fields=["probe", "sort", "address"], name="one_probe_landing")],
                "indexes": [models.Index(fields=["at"], name="probe_landings_oldest_first")],
            },
        ),
    ]
