"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from minsheng.dispatching import views

app_name = "dispatching"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.desk, name="desk"),
    path("peek/<str:number>/", views.peek, name="peek"),
]
