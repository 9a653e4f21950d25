"""Guidance: addresses under ``/reviews/<slug>/guidance/``."""

from __future__ import annotations

from django.urls import path

from balm.web.guidance import calculations, views

urlpatterns = [
    path("", views.page, name="guidance"),
    path("print/", views.printable, name="guidance_print"),
    path("calculations/", calculations.listed, name="guidance_calculations"),
    path("calculations/<slug:question>/", calculations.one, name="guidance_calculation"),
    path("answer.json", views.answer_json, name="guidance_json"),
]
