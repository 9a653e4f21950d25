"""Question, eligibility, outcomes, reasons: addresses under ``/reviews/<slug>/set-up/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
