"""Releases, written once."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from balm.store.append_only import AppendOnly


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = [("reviews", "0002_public")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Released",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.CharField(max_length=200)),
                ("hash", models.CharField(max_length=64)),
                ("submission", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.member"
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.review"
                    ),
                ),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.AddConstraint(
            "released", models.UniqueConstraint(fields=["review", "version"], name="a_version_is_released_once")
        ),
        migrations.AddConstraint(
            "released", models.UniqueConstraint(fields=["member", "submission"], name="a_release_counts_once")
        ),
        AppendOnly("versions_released"),
    ]
