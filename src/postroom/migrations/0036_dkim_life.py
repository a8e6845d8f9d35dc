"""A signing key's life goes on after it signs: until when its record stands, and since when it is revoked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0035_postures")]

    operations = [
        migrations.AddField("DkimKey", "revoke_at", models.DateTimeField(null=True)),
        migrations.AddField("DkimKey", "revoked_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "DkimKey",
            models.Index(fields=["activated_at"], condition=models.Q(retired_at=None), name="keys_by_age"),
        ),
        migrations.AddIndex(
            "DkimKey",
            models.Index(
                fields=["revoke_at"],
                condition=models.Q(revoke_at__isnull=False, revoked_at=None),
                name="keys_to_revoke",
            ),
        ),
    ]
