"""Attempts and papers, written once."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from balm.store.append_only import AppendOnly


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = [
        ("reviews", "0002_public"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("report", models.CharField(max_length=300)),
                ("status", models.CharField(max_length=20)),
                ("on", models.CharField(max_length=10)),
                ("note", models.TextField(blank=True)),
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
                "indexes": [models.Index(fields=["review", "report"], name="attempt_on_report")],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "submission"), name="an_attempt_counts_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Paper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("report", models.CharField(max_length=300)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("pages", models.PositiveIntegerField()),
                ("texts", models.JSONField()),
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
                "indexes": [models.Index(fields=["review", "report"], name="paper_of_report")],
                "constraints": [models.UniqueConstraint(fields=("member", "submission"), name="a_paper_counts_once")],
            },
        ),
        AppendOnly("full_texts_attempt"),
        AppendOnly("full_texts_paper"),
    ]
