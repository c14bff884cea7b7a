"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from minsheng.followup import views

app_name = "followup"
urlpatterns: list[URLPattern | URLResolver] = [path("", views.desk, name="desk")]
