"""Report: addresses under ``/reviews/<slug>/report/``."""

from __future__ import annotations

from django.urls import path

from balm.web.report import views

urlpatterns = [
    path("", views.report, name="report"),
    path("report.<str:ending>", views.taken, name="report_taken"),
    path("publish/", views.publish, name="report_publish"),
]
