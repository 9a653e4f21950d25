"""Full texts: addresses under ``/reviews/<slug>/full-texts/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from balm.web.full_texts import linking, views

urlpatterns: list[URLPattern] = [
    path("", views.reports, name="full_texts"),
    path("reports/<str:report>/", views.report, name="full_text"),
    path("reports/<str:report>/attempt/", views.attempt, name="full_text_attempt"),
    path("reports/<str:report>/upload/", views.upload, name="full_text_upload"),
    path("reports/<str:report>/paper/", views.paper, name="full_text_paper"),
    path("studies/", linking.studies, name="study_linking"),
    path("studies/link/", linking.link_report, name="link_report"),
    path("studies/split/", linking.split_report, name="split_report"),
    path("studies/undo/", linking.undo_step, name="undo_linking"),
    path("studies/place/", linking.place_study, name="place_study"),
]
