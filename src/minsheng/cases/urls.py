"""Addresses of this room: the case and what is done to it, intake, look-ups. A unit's and an auditor's desks follow below."""

from django.urls import URLPattern, URLResolver, path

from minsheng.cases.views import act, files, page, person

app_name = "cases"
urlpatterns: list[URLPattern | URLResolver] = [
    # one case; last, because a number could otherwise be taken for one of the words above
    path("<str:number>/", page.page, name="page"),
    path("<str:number>/reveal/", person.reveal, name="reveal"),
    path("<str:number>/query-code/", person.reissue, name="reissue"),
    path("<str:number>/files/<int:pk>/", files.download, name="file"),
    path("<str:number>/<slug:code>/", act.act, name="act"),
]
