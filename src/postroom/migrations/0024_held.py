from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("postroom", "0023_letters"),
    ]

    operations = [
        migrations.AddField(model_name="client", name="held_over", field=models.IntegerField(null=True)),
        migrations.AddField(model_name="client", name="undo_within", field=models.IntegerField(null=True)),
    ]
