"""The owner of a mailbox signs in: a login of their own, and changes that are theirs."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0014_domains_listed")]

    operations = [
        migrations.AddField(
            model_name="login",
            name="mailbox",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.DO_NOTHING, to="postroom.mailbox"
            ),
        ),
        migrations.AddConstraint(
            model_name="login",
            constraint=models.CheckConstraint(
                condition=models.Q(("mailbox__isnull", False), ("person", None))
                | models.Q(("mailbox", None), ("person__isnull", False)),
                name="one_to_a_login",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="mailbox",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="postroom.mailbox",
            ),
        ),
        migrations.RemoveConstraint(model_name="change", name="one_change_per_key"),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key__isnull", False)),
                fields=("actor", "proposer", "token", "mailbox", "key"),
                name="one_change_per_key",
                nulls_distinct=False,
            ),
        ),
    ]
