"""The review taken home and brought back: addresses under ``/reviews/<slug>/archive/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
