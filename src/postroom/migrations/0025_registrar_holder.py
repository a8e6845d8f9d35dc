"""Who holds the mailbox to which a registrar's account writes; what ends all sessions of a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0024_held")]

    operations = [
        migrations.AddField("domain", "registrar_account_holder", models.TextField(default="")),
        migrations.AddField("person", "access_epoch", models.IntegerField(default=0)),
    ]
