"""Codes of verified resets; emergencies that waive the time to object; which verified reset a link came from."""

from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING


class Migration(migrations.Migration):
    dependencies = [("postroom", "0019_sheets")]

    operations = [
        migrations.AddField("verification", "emergency", models.TextField(default="")),
        migrations.AddField(
            "verification",
            "emergency_by",
            models.ForeignKey("postroom.person", DO_NOTHING, null=True, related_name="+", db_index=False),
        ),
        migrations.AddField("verification", "emergency_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "verification",
            "waived_by",
            models.ForeignKey("postroom.person", DO_NOTHING, null=True, related_name="+", db_index=False),
        ),
        migrations.AddField("verification", "waived_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "invite",
            "verification",
            models.ForeignKey("postroom.verification", DO_NOTHING, null=True, related_name="+", db_index=False),
        ),
        migrations.CreateModel(
            "ResetCode",
            [
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("client", models.ForeignKey("postroom.client", DO_NOTHING)),
                ("verification", models.ForeignKey("postroom.verification", DO_NOTHING)),
                ("channel", models.ForeignKey("postroom.recoverychannel", DO_NOTHING)),
                ("asked_by", models.ForeignKey("postroom.person", DO_NOTHING, related_name="+")),
                ("issued", models.IntegerField(default=0)),
                ("made", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "reset code",
                "db_table": "reset_codes",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
    ]
