"""The audit trail: addresses under ``/reviews/<slug>/audit/``."""

from __future__ import annotations

from django.urls import path

from balm.web.audit import views

urlpatterns = [
    path("", views.audit, name="audit"),
    path("verify/", views.verify, name="audit_verify"),
]
