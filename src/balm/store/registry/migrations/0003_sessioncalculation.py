import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from balm.store.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_invitations")]

    operations = [
        migrations.CreateModel(
            name="SessionCalculation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session", models.CharField(max_length=80)),
                ("number", models.PositiveIntegerField()),
                ("participant", models.CharField(max_length=80)),
                ("figures", models.JSONField()),
                ("guidance", models.TextField(blank=True)),
                ("software", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("code", models.CharField(max_length=60)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.clinic"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "session", "number"), name="one_calculation_a_signature")
                ],
            },
        ),
        AppendOnly("registry_sessioncalculation"),
    ]
