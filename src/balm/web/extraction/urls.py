"""Extraction: addresses under ``/reviews/<slug>/extraction/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
