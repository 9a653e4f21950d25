"""Extraction: addresses under ``/reviews/<slug>/extraction/``."""

from __future__ import annotations

from django.urls import path

from balm.web.extraction import views

urlpatterns = [
    path("", views.overview, name="extraction"),
    path("<str:study>/", views.study, name="extraction-study"),
    path("<str:study>/take/", views.take_study, name="extraction-take"),
    path("<str:study>/enter/", views.enter_values, name="extraction-enter"),
    path("<str:study>/add/", views.add, name="extraction-add"),
    path("<str:study>/remove/", views.remove, name="extraction-remove"),
    path("<str:study>/finish/", views.finish_study, name="extraction-finish"),
    path("<str:study>/reopen/", views.reopen_study, name="extraction-reopen"),
    path("<str:study>/compare/", views.compare_study, name="extraction-compare"),
    path("<str:study>/paper/<str:report>/", views.paper, name="extraction-paper"),
    path("<str:study>/settle/", views.settle_cell, name="extraction-settle"),
    path("<str:study>/write/", views.write, name="extraction-write"),
]
