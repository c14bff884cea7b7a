"""Addresses of the citizen's side. None carries a number, a code or a name; the rating link carries a signed token."""

from django.urls import URLPattern, URLResolver, path

from minsheng.portal.views import filing, lookup, mine, published, ratings

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", filing.landing, name="landing"),
    path("file/", filing.file_step, {"code": "what"}, name="file"),
    path("file/where/", filing.file_step, {"code": "where"}, name="file_where"),
    path("file/streets/", filing.street_proposals, name="streets"),
    path("file/who/", filing.file_step, {"code": "who"}, name="file_who"),
    path("file/check/", filing.check_and_send, name="file_check"),
    path("file/forget/", filing.forget, name="file_forget"),
    path("file/similar/", filing.similar, name="file_similar"),
    path("published/", published.listing, name="published"),
    path("published/<int:pk>/", published.page, name="published_case"),
    path("privacy/", filing.privacy, name="privacy"),
    path("progress/", lookup.look_up, name="look_up"),
    path("mine/", mine.page, name="mine"),
    path("mine/supplement/", mine.supplement, name="supplement"),
    path("mine/withdraw/", mine.withdraw, name="withdraw"),
    path("mine/consent/", mine.change_consent, name="consent"),
    path("mine/rate/", mine.rate, name="rate"),
    path("mine/files/<int:pk>/", mine.open_file, name="file_of_case"),
    path("mine/leave/", lookup.leave, name="leave"),
    path("rate/<str:token>/", ratings.rate_by_link, name="rate_by_link"),
]
