"""Addresses of this room: the case and what is done to it, intake, look-ups. A unit's and an auditor's desks follow below."""

from django.urls import URLPattern, URLResolver, path

from minsheng.cases.views import act, audits, files, intake, listing, lookups, page, person, units

app_name = "cases"
urlpatterns: list[URLPattern | URLResolver] = [
    # every case
    path("", listing.cases, name="list"),
    path("find/", listing.find, name="find"),
    # intake
    path("intake/", intake.desk, name="intake"),
    path("new/", intake.new, name="new"),
    path("new/discard/<int:pk>/", intake.discard, name="discard"),
    path("new/caller/", lookups.caller, name="caller"),
    path("new/topic/", lookups.topic_details, name="topic_details"),
    # look-ups of forms
    path("lookups/topics/", lookups.topics, name="topics"),
    path("lookups/topics/tree/", lookups.topic_tree, name="topic_tree"),
    path("lookups/places/", lookups.places, name="places"),
    path("lookups/units/", lookups.units, name="units"),
    path("lookups/ground/", lookups.ground, name="ground"),
    # a unit's desk, an auditor's desk
    path("handling/", units.desk, name="handling"),
    path("audits/", audits.desk, name="audits"),
    # one case; last, because a number could otherwise be taken for one of the words above
    path("<str:number>/", page.page, name="page"),
    path("<str:number>/filed/", intake.filed, name="filed"),
    path("<str:number>/reveal/", person.reveal, name="reveal"),
    path("<str:number>/query-code/", person.reissue, name="reissue"),
    path("<str:number>/files/<int:pk>/", files.download, name="file"),
    path("<str:number>/reply-hints/", units.reply_hints, name="reply_hints"),
    path("<str:number>/<slug:code>/", act.act, name="act"),
]
