"""When mail last left by each way, and since when each node has looked; which scripts throw mail away."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


def seen(to: str) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(f"postroom.{to}", DO_NOTHING, db_constraint=False, db_index=False)


class Migration(migrations.Migration):
    dependencies = [("postroom", "0033_redirect_stops")]

    operations = [
        migrations.CreateModel(
            "LastHit",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("client", seen("client")),
                ("domain", seen("domain")),
                ("source", models.TextField(db_collation="C")),
                ("target", models.TextField(db_collation="C")),
            ],
            options={
                "db_table": "last_hits",
                "constraints": [models.UniqueConstraint(fields=["source", "target"], name="one_last_hit")],
                "indexes": [models.Index(fields=["at"], name="last_hits_oldest_first")],
            },
        ),
        migrations.CreateModel(
            "LeftRead",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("since", models.DateTimeField()),
                ("node", models.OneToOneField("postroom.node", DO_NOTHING, db_constraint=False)),
            ],
            options={"db_table": "left_reads"},
        ),
        migrations.AddField("SieveScript", "discards", models.TextField(default="")),
    ]
