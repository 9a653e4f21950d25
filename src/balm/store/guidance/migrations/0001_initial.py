"""Calculations, written once."""

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
            name="CalculationTrace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("question", models.CharField(max_length=64)),
                ("number", models.PositiveIntegerField()),
                ("asked", models.JSONField()),
                ("rule", models.CharField(max_length=200)),
                ("what", models.CharField(max_length=40)),
                ("inputs", models.JSONField()),
                ("formula", models.JSONField()),
                ("result", models.JSONField()),
                ("guidance_version", models.CharField(max_length=200)),
                ("software_version", models.CharField(max_length=40)),
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
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "question", "number"), name="a_calculation_is_kept_once")
                ],
            },
        ),
        AppendOnly("guidance_calculationtrace"),
    ]
