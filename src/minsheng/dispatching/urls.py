"""Addresses of this room."""

from django.urls import URLPattern, URLResolver

app_name = "dispatching"
urlpatterns: list[URLPattern | URLResolver] = []
