"""Linking reports to studies, written once."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from balm.store.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("full_texts", "0001_first"),
        ("reviews", "0002_public"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Linking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("act", models.CharField(max_length=10)),
                ("report", models.CharField(max_length=300)),
                ("study", models.CharField(max_length=300)),
                ("changes", models.JSONField()),
                ("undoes", models.PositiveIntegerField(null=True)),
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
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "submission"), name="a_linking_counts_once"),
                    models.UniqueConstraint(fields=("review", "number"), name="a_linking_a_number"),
                    models.UniqueConstraint(fields=("review", "undoes"), name="a_linking_undone_once"),
                ],
            },
        ),
        AppendOnly("full_texts_linking"),
    ]
