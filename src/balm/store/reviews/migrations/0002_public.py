"""Whether anybody may read the report of a review."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reviews", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(model_name="review", name="public", field=models.BooleanField(default=False)),
    ]
