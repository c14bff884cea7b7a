"""Every read of what is public, and of what may become so. The staff's start from `visible_to`; the public's from `public`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet

from minsheng.cases import search_rules
from minsheng.cases.choices import OPEN_STATES, CaseState, Ending, ReplyKind, ReplyState, RequestKind
from minsheng.cases.details import first_words
from minsheng.cases.models import Case, Message, Reply, Task
from minsheng.publishing import rules
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.models import TITLE_LENGTH, Publication
from minsheng.secrecy import redact

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import Topic
    from minsheng.organisations.models import Place

ORDER = ("-published_at", "-id")
NEARBY = timedelta(days=30)
MOST_COMPARED = 200  # the newest ones; a citizen waits for this page
FEWEST_NEARBY, FEWEST_COUNTED, MOST_COUNTED = 2, 5, 100  # domain.md §6: public figures below five are not told
ALIKE = 0.2  # of the pairs of the shorter of two texts; chance pairs (的人, 已经) stay well below. Unsourced


def may_be_public(prefix: str = "") -> Q:
    """Condition on Case (or on what leads to it by `prefix`): with consent, of somebody who is neither anonymous nor
    confidential, accusing nobody, handled or answered."""

    def of(**values: Any) -> Q:
        return Q(**{prefix + name: value for name, value in values.items()})

    open_to_all = of(publishable=True, confidential=False, applicant__anonymous=False, accused_unit=None)
    ended = of(state__in=[CaseState.CLOSED, CaseState.ARCHIVED], ending__in=[Ending.HANDLED, Ending.ANSWERED])
    ended &= of(stage_due_at=None)  # rated badly since it closed, it is not at its end (cases.guards.awaits_judgement)
    plain = of(topic=None) | of(topic__confidential_by_default=False, topic__route="")
    return open_to_all & ended & plain & ~of(kind=RequestKind.REPORT)


def to_edit(user: User) -> QuerySet[Case]:
    """Closed with consent and not public now: what was taken down may be written anew while consent stands.

    Until they are archived: older ones have had their time.
    """
    fresh = Q(publication=None) | Q(publication__state__in=rules.WRITABLE)
    return (
        Case.objects.visible_to(user)
        .filter(may_be_public(), fresh, state=CaseState.CLOSED)
        .select_related("topic", "place__parent", "publication")
    )


def publications(user: User, state: str) -> QuerySet[Publication]:
    """Of this state, whose cases the person may see."""
    found = Publication.objects.filter(state=state, case__in=Case.objects.visible_to(user))
    return found.select_related("case__topic", "case__place__parent", "edited_by", "reviewed_by")


def waiting_count(user: User, at: datetime) -> tuple[int, str]:
    """For the rail: what waits for a second pair of eyes. One query."""
    return Publication.objects.filter(state=PublicationState.PROPOSED).exclude(edited_by=user).count(), "none"


def answer_of(case: Case) -> tuple[str, str]:
    """(unit, words): the reply that the citizen was given, or what the hotline answered at once."""
    reply = (
        Reply.objects.filter(task__case=case, kind=ReplyKind.FINAL, state=ReplyState.ACCEPTED)
        .select_related("task__unit")
        .order_by("-audited_at", "-id")
        .first()
    )
    if reply is not None:
        return reply.task.unit.name, reply.text
    told = Message.objects.filter(case=case, template="answered").order_by("-at").first()
    return "12345 热线", told.text.partition("：")[2] if told else ""


def first_version(case: Case, answer: str) -> dict[str, str]:
    """What an editor begins with: the words without what was found of persons in them."""
    text = redact(case.text)
    return {"title": first_words(text)[:TITLE_LENGTH], "text": text, "reply": redact(answer)}


def may_agree(case: Case) -> bool:
    """Whether its citizen is asked at all: never of a report, nor who stays unknown (domain.md §2.10), nor of what has ended
    without an answer or is archived."""
    never = case.kind == RequestKind.REPORT or case.confidential or case.applicant.anonymous or case.accused_unit_id is not None
    answered = case.ending in ("", Ending.HANDLED, Ending.ANSWERED)
    return not never and answered and case.state not in (CaseState.DRAFT, CaseState.ARCHIVED)


# --- the public's ------------------------------------------------------------------------------------------------


def public() -> QuerySet[Publication]:
    """What everybody may read now: passed, and its case still such that it may be read. The case itself is never shown."""
    return (
        Publication.objects.filter(may_be_public("case__"), state=PublicationState.PUBLISHED)
        .select_related("topic", "county")
        .order_by(*ORDER)
    )


def search(typed: str, *, topic: str = "", county: str = "") -> QuerySet[Publication]:
    """Public ones whose words hold each of what was typed, of a topic (any level) and a county; none where what was typed
    holds nothing that words could hold. Both sides are compared folded; the pairs only narrow what the text decides."""
    found, phrases = public(), rules.phrases(typed)
    if typed.strip() and not phrases:
        return found.none()
    for phrase in phrases:
        found = found.filter(folded__contains=phrase)
        if pairs := search_rules.grams(phrase):
            found = found.filter(grams__contains=sorted(pairs))
    if topic:
        found = found.filter(Q(topic__code=topic) | Q(topic__parent__code=topic) | Q(topic__parent__parent__code=topic))
    return found.filter(county__code=county) if county else found


def similar(*, text: str, topic: Topic | None, county: Place | None, most: int = 3) -> list[Publication]:
    """Public ones of the same topic that say the most of the same, those of the same county first.

    Without a topic the words alone must do: what in the same county says enough of the same.
    """
    said = search_rules.grams(search_rules.fold(text))
    if topic is None:
        return _saying_the_same(said, county)[:most]
    found = list(public().filter(topic=topic)[:MOST_COMPARED])

    def closeness(one: Publication) -> tuple[bool, float]:
        pairs = set(one.grams)
        return one.county_id == (county.pk if county else None), len(pairs & said) / (len(pairs | said) or 1)

    return sorted(found, key=closeness, reverse=True)[:most]


def _saying_the_same(said: set[int], county: Place | None) -> list[Publication]:
    if county is None or not said:
        return []
    shares: list[tuple[float, Publication]] = []
    for one in public().filter(county=county, grams__overlap=sorted(said))[:MOST_COMPARED]:
        pairs = set(one.grams)
        shares.append((len(pairs & said) / min(len(pairs), len(said)), one))
    return [one for share, one in sorted(shares, key=lambda pair: pair[0], reverse=True) if share >= ALIKE]


def nearby(*, topic: Topic | None, place: Place | None, at: datetime) -> tuple[int, str]:
    """(how many open requests of this topic here in the last thirty days, who handles most of them); 0 below two.

    A count and a unit's name, no case: it begins at no user's `visible_to`, and leaves confidential ones out.
    """
    if topic is None or place is None:
        return 0, ""
    cases = Case.objects.filter(
        Q(place=place) | Q(place__parent=place), topic=topic, received_at__gt=at - NEARBY, confidential=False, state__in=OPEN_STATES
    )
    count = cases[:MOST_COUNTED].count()
    if count < FEWEST_NEARBY:
        return 0, ""
    tasks = Task.objects.filter(case__in=cases.values("pk"), role="lead").order_by()
    busiest = tasks.values("unit__name").annotate(n=Count("pk")).order_by("-n", "unit__name").first()
    return count, busiest["unit__name"] if busiest else ""


def why_not(case: Case) -> str:
    """Why this case cannot be published, in words; "" when it can."""
    if not Case.objects.filter(may_be_public(), pk=case.pk).exists():
        return "没有诉求人同意，或是匿名、保密、举报、未办结、评价还待研判的诉求"
    if rules.is_never_public(case.text):
        return "涉及暴力、伤害或隐私"
    return ""
