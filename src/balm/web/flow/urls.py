"""The PRISMA flow: addresses under ``/reviews/<slug>/flow/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
