"""Addresses of this room: the case and what is done to it, intake, look-ups. A unit's and an auditor's desks follow below."""

from django.urls import URLPattern, URLResolver, path

from minsheng.cases.views import (
    act,
    audits,
    bulk,
    files,
    finding,
    intake,
    listing,
    lookups,
    maps,
    page,
    person,
    phrases,
    printing,
    templates,
    units,
)

app_name = "cases"
urlpatterns: list[URLPattern | URLResolver] = [
    # every case
    path("", listing.cases, name="list"),
    path("find/", finding.find, name="find"),
    path("found/", finding.found, name="found"),
    path("map/", maps.cases_map, name="map"),
    path("map/points.json", maps.map_points, name="map_points"),
    path("map/rows/", maps.map_rows, name="map_rows"),
    # intake
    path("intake/", intake.desk, name="intake"),
    path("new/", intake.new, name="new"),
    path("new/discard/<int:pk>/", intake.discard, name="discard"),
    path("new/caller/", lookups.caller, name="caller"),
    path("new/caller/name/", lookups.caller_name, name="caller_name"),
    path("new/topic/", lookups.topic_details, name="topic_details"),
    path("phrases/", phrases.page, name="phrases"),
    path("phrases/<int:pk>/remove/", phrases.remove, name="phrase_remove"),
    # look-ups of forms
    path("lookups/streets/", lookups.street_proposals, name="streets"),
    path("lookups/topics/tree/", lookups.topic_tree, name="topic_tree"),
    path("lookups/ground/", lookups.ground, name="ground"),
    path("lookups/<slug:which>/", lookups.rows, name="rows"),
    # a unit's desk, an auditor's desk
    path("handling/", units.desk, name="handling"),
    path("templates/", templates.listing, name="templates"),
    path("templates/new/", templates.edit, name="new_template"),
    path("templates/<int:pk>/", templates.edit, name="template"),
    path("templates/<int:pk>/remove/", templates.remove, name="remove_template"),
    path("audits/", audits.desk, name="audits"),
    path("bulk/<slug:code>/", bulk.several, name="bulk"),
    # one case; last, because a number could otherwise be taken for one of the words above
    path("<str:number>/", page.page, name="page"),
    path("<str:number>/since/", page.since, name="since"),
    path("<str:number>/filed/", intake.filed, name="filed"),
    path("<str:number>/reveal/", person.reveal, name="reveal"),
    path("<str:number>/query-code/", person.reissue, name="reissue"),
    path("<str:number>/files/<int:pk>/", files.download, name="file"),
    path("<str:number>/papers/", printing.papers, name="papers"),
    path("<str:number>/paper/<str:what>.pdf", printing.paper, name="paper"),
    path("<str:number>/reply-hints/", units.reply_hints, name="reply_hints"),
    path("<str:number>/<slug:code>/", act.act, name="act"),
]
