"""The audit trail: addresses under ``/reviews/<slug>/audit/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
