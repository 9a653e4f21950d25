"""Pinned analyses, written once."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from balm.store.append_only import AppendOnly


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = [("reviews", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="PinnedAnalysis",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("turn", models.PositiveIntegerField(default=1)),
                ("note", models.TextField(blank=True)),
                ("spec", models.TextField()),
                ("data_hash", models.CharField(max_length=64)),
                ("reads", models.TextField()),
                ("software_version", models.CharField(max_length=40)),
                ("result", models.TextField()),
                ("last_event", models.PositiveIntegerField()),
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
            "pinnedanalysis", models.UniqueConstraint(fields=["member", "submission"], name="a_pin_counts_once")
        ),
        migrations.AddConstraint(
            "pinnedanalysis", models.UniqueConstraint(fields=["review", "name", "turn"], name="a_pin_a_turn")
        ),
        AppendOnly("synthesis_pinnedanalysis"),
    ]
