"""Claims: addresses under ``/reviews/<slug>/claims/``."""

from __future__ import annotations

from django.urls import path

from balm.web.claims import views

urlpatterns = [path("", views.claims, name="claims")]
