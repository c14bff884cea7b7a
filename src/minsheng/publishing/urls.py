"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from minsheng.publishing import views

app_name = "publishing"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.desk, name="desk"),
    path("<str:number>/", views.act, name="act"),
]
