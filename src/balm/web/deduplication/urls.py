"""Duplicates: addresses under ``/reviews/<slug>/deduplication/``."""

from __future__ import annotations

from django.urls import path

from balm.web.deduplication import views

urlpatterns = [
    path("", views.question, name="deduplication"),
    path("answer/", views.answer, name="answer_question"),
    path("undo/", views.undo, name="undo_answer"),
    path("look/", views.look, name="look_for_duplicates"),
    path("groups/", views.groups, name="groups"),
    path("groups/take-out/", views.take_record_out, name="take_out"),
    path("decisions/", views.decisions, name="duplicate_decisions"),
]
