"""Duplicates: addresses under ``/reviews/<slug>/deduplication/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
