"""Full texts: addresses under ``/reviews/<slug>/full-texts/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
