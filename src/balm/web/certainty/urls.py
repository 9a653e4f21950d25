"""Certainty: addresses under ``/reviews/<slug>/certainty/``."""

from __future__ import annotations

from django.urls import path

from balm.web.certainty import views

urlpatterns = [
    path("", views.index, name="certainty"),
    path("summary/", views.summary, name="certainty_summary"),
    path("summary/<slug:kind>.<slug:ending>", views.taken, name="certainty_taken"),
    path("of/<str:analysis>/", views.analysis, name="certainty_of"),
    path("of/<str:analysis>/rate/", views.rate, name="certainty_rate"),
    path("of/<str:analysis>/proposal/", views.proposal, name="certainty_proposal"),
    path("of/<str:analysis>/consensus/", views.consensus, name="certainty_consensus"),
]
