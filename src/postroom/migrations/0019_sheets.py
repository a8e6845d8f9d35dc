"""What the inventory sheet asks of a domain and of a client; reminders of invites, and whether each was handed over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0018_sign_ins")]

    operations = [
        migrations.AddField("domain", "registrar_mfa", models.TextField(default="unknown")),
        migrations.AddField("domain", "second_holder", models.TextField(default="")),
        migrations.AddField("domain", "confirmed_on", models.DateField(null=True)),
        migrations.AddField("client", "sending", models.TextField(default="unknown")),
        migrations.AddField("invite", "issued", models.IntegerField(default=0)),
        migrations.AddField("invite", "remind_at", models.DateTimeField(null=True)),
        migrations.AddField("invite", "reminded_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["object"], name="deliveries_of_mail", condition=models.Q(target="mail")),
        ),
    ]
