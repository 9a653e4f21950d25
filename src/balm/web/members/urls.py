"""Members and invitations: addresses under ``/reviews/<slug>/members/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
