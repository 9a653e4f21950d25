"""Assessments of risk of bias."""

from django.apps import AppConfig


class RiskOfBiasConfig(AppConfig):
    """The app ``risk_of_bias``."""

    name = "balm.store.risk_of_bias"
    label = "risk_of_bias"
    default_auto_field = "django.db.models.BigAutoField"
