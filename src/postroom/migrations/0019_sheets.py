"""What the inventory sheet asks of a domain and of a client."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0018_sign_ins")]

    operations = [
        migrations.AddField("domain", "registrar_mfa", models.TextField(default="unknown")),
        migrations.AddField("domain", "second_holder", models.TextField(default="")),
        migrations.AddField("domain", "confirmed_on", models.DateField(null=True)),
        migrations.AddField("client", "sending", models.TextField(default="unknown")),
    ]
