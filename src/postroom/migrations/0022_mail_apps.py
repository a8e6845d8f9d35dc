"""Mail apps that ask to be let in, their owners' consents, and the keys that tokens are known by."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

STATE = {"abstract": False, "base_manager_name": "objects"}


class Migration(migrations.Migration):
    dependencies = [("postroom", "0021_doubts")]

    operations = [
        migrations.CreateModel(
            name="MailApp",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("name", models.TextField()),
                (
                    "redirect_uris",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
                ),
                ("made", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "mail app",
                "db_table": "mail_apps",
                **STATE,
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("name",), name="one_mail_app_of_a_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TokenKey",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kid", models.TextField(db_collation="C", unique=True)),
                ("public", models.TextField()),
                ("issuer", models.TextField()),
                ("made", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "token key", "db_table": "token_keys", **STATE},
        ),
        migrations.AddField(
            model_name="credential",
            name="app",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.DO_NOTHING, to="postroom.mailapp"),
        ),
    ]
