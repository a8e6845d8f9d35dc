"""A page of domains is found in one index, whoever asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0013_servers_and_devices")]

    operations = [
        migrations.AddIndex(
            model_name="domain",
            index=models.Index(
                condition=models.Q(("removed_at", None)),
                fields=["name"],
                include=["id", "client"],
                name="domains_listed",
            ),
        ),
    ]
