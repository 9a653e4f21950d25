"""Reviews: the list, and a review's home."""

from __future__ import annotations

from django.urls import path

from balm.web.reviews import views

urlpatterns = [
    path("", views.reviews, name="reviews"),
    path("reviews/<slug:slug>/", views.home, name="review"),
]
