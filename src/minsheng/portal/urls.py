"""Addresses of the citizen's side. None carries a number, a code or a name; the rating link carries a signed token."""

from django.urls import URLPattern, URLResolver, path

from minsheng.portal.views import filing, lookup, mine, ratings

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", filing.landing, name="landing"),
    path("file/", filing.file_request, name="file"),
    path("privacy/", filing.privacy, name="privacy"),
    path("progress/", lookup.look_up, name="look_up"),
    path("mine/", mine.page, name="mine"),
    path("mine/supplement/", mine.supplement, name="supplement"),
    path("mine/withdraw/", mine.withdraw, name="withdraw"),
    path("mine/rate/", mine.rate, name="rate"),
    path("mine/files/<int:pk>/", mine.open_file, name="file_of_case"),
    path("mine/leave/", lookup.leave, name="leave"),
    path("rate/<str:token>/", ratings.rate_by_link, name="rate_by_link"),
]
