from django.db import migrations

from balm.store.append_only import NothingIsReplaced


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_hidden_votes_aside"),
    ]

    operations = [NothingIsReplaced()]
