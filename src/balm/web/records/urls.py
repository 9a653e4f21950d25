"""Search exports in: addresses under ``/reviews/<slug>/records/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
