"""Risk of bias: addresses under ``/reviews/<slug>/risk-of-bias/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
