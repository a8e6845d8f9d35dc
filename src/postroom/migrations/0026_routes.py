"""Where mail goes on: forwards, catch-alls, domains that are aliases, exceptions; Sieve scripts as nodes read them."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING

ID = ("id", models.UUIDField(editable=False, primary_key=True, serialize=False))
OBSERVED = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
STATE = {"abstract": False, "base_manager_name": "objects"}


def text(**more: object) -> "models.TextField[str, str]":
    return models.TextField(**more)  # type: ignore[arg-type]


def seen(to: str) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(f"postroom.{to}", DO_NOTHING, db_constraint=False, db_index=False)


class Migration(migrations.Migration):
    dependencies = [("postroom", "0025_registrar_holder")]

    operations = [
        *(
            migrations.AddField(model, field, ArrayField(models.TextField(), default=list))
            for model in ("organization", "client")
            for field in ("forward_allowed", "forward_forbidden")
        ),
        migrations.AddField(
            "domain",
            "alias_of",
            models.ForeignKey("postroom.domain", DO_NOTHING, null=True, db_index=False, related_name="+"),
        ),
        migrations.CreateModel(
            "Forward",
            [
                ID,
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("address", models.ForeignKey("postroom.address", DO_NOTHING, db_index=False)),
                ("to", text(db_collation="C")),
                ("until", models.DateTimeField()),
                ("made", models.DateTimeField()),
                ("disabled_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "forwards",
                **STATE,
                "constraints": [models.UniqueConstraint(fields=["address", "to"], name="one_forward")],
                "indexes": [models.Index(fields=["to"], name="forwards_by_target")],
            },
        ),
        migrations.CreateModel(
            "CatchAll",
            [
                ID,
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("domain", models.OneToOneField("postroom.domain", DO_NOTHING)),
                ("target", text(db_collation="C")),
                ("until", models.DateTimeField()),
                ("made", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "catch-all",
                "db_table": "catch_alls",
                **STATE,
                "indexes": [models.Index(fields=["target"], name="catch_alls_by_target")],
            },
        ),
        migrations.CreateModel(
            "RouteException",
            [
                ID,
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("address", models.ForeignKey("postroom.address", DO_NOTHING, db_index=False)),
                ("target", text(db_collation="C")),
                ("owner", text()),
                ("reason", text()),
                ("until", models.DateTimeField()),
                ("review_on", models.DateField()),
                ("on_end", text()),
                ("made", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "exception",
                "db_table": "exceptions",
                **STATE,
                "indexes": [
                    models.Index(fields=["address", "target"], name="exceptions_of_an_address"),
                    models.Index(fields=["target"], name="exceptions_by_target"),
                ],
            },
        ),
        migrations.CreateModel(
            "SieveScript",
            [
                OBSERVED,
                ("at", models.DateTimeField()),
                ("client", seen("client")),
                ("domain", seen("domain")),
                ("mailbox", seen("mailbox")),
                ("node", seen("node")),
                ("name", text()),
                ("active", models.BooleanField(default=False)),
                ("digest", text(default="")),
                ("text", text(default="")),
                ("cut", models.BooleanField(default=False)),
                ("redirects", models.JSONField(default=list)),
                ("vacation", models.BooleanField(default=False)),
                ("unreadable", text(default="")),
                ("first", models.DateTimeField()),
            ],
            options={
                "db_table": "sieve_scripts",
                "constraints": [models.UniqueConstraint(fields=["mailbox", "name"], name="one_sieve_script")],
                "indexes": [models.Index(fields=["client"], name="sieve_scripts_of_a_client")],
            },
        ),
        migrations.CreateModel(
            "SieveRead",
            [
                OBSERVED,
                ("at", models.DateTimeField()),
                ("node", models.OneToOneField("postroom.node", DO_NOTHING, db_constraint=False)),
                ("mailboxes", models.IntegerField()),
                ("unread", models.IntegerField(default=0)),
            ],
            options={"db_table": "sieve_reads"},
        ),
    ]
