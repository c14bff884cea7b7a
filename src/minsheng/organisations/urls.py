"""Addresses of this room."""

from django.urls import path

from minsheng.organisations import views

app_name = "places"
urlpatterns = [path("counties.json", views.counties, name="counties")]
