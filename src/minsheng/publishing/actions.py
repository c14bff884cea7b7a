"""Every write of publishing. One person edits, another passes; the citizen takes back their consent, and it is gone at once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.audit.actions import record
from minsheng.cases import work
from minsheng.cases.actors import CITIZEN, Outsider
from minsheng.cases.models import Case
from minsheng.cases.rules import names_person
from minsheng.cases.search_rules import fold, grams, lines
from minsheng.errors import Refused
from minsheng.organisations.choices import PlaceLevel
from minsheng.publishing import queries, rules
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.models import Publication
from minsheng.secrecy import find_personal
from minsheng.secrecy.personal import PLACEHOLDERS

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.organisations.models import Place


def propose(*, actor: User, at: datetime, case: Case, title: str, text: str, reply: str) -> Publication:
    """送复核: the editor's version waits for another's eyes. Errors: forbidden, not_found, not_publishable, still_personal."""
    _need(actor, rules.EDITORS, "编辑公开件")
    with work.locked(case) as held:
        _refuse_unseen(actor, held)
        _refuse_unfit(held)
        _refuse_personal(held, title, text, reply)
        before = Publication.objects.filter(case=held).first()
        if before is not None and before.state not in rules.WRITABLE:
            raise Refused("publication_state", state=before.get_state_display())
        unit, _ = queries.answer_of(held)
        folded = lines(fold(part) for part in (title, text, reply))
        values = {
            "state": PublicationState.PROPOSED,
            "kind": held.kind,
            "topic": held.topic,
            "county": _county(held.place),
            "unit_name": unit,
            "title": title.strip(),
            "text": text.strip(),
            "reply": reply.strip(),
            "folded": folded,
            "grams": sorted(grams(folded)),
            "edited_by": actor,
            "edited_at": at,
            "reviewed_by": None,
            "published_at": None,
            "why": "",
        }
        publication, _ = Publication.objects.update_or_create(case=held, defaults=values)
        _append(held, actor=actor, at=at, code="propose_publication")
        record(actor=actor, at=at, code="publishing.proposed", subject=held, subject_label=str(held))
    return publication


def review(*, actor: User, at: datetime, publication: Publication, passes: bool, why: str = "") -> Publication:
    """复核: another than the editor passes it, or sends it back with a reason.

    Errors: forbidden, not_found, own_publication, publication_state, reason_required, and those of propose.
    """
    _need(actor, rules.REVIEWERS, "复核公开件")
    with work.locked(publication.case) as case:
        held = _held(actor, publication, case)
        if held.state != PublicationState.PROPOSED:
            raise Refused("publication_state", state=held.get_state_display())
        if held.edited_by_id == actor.pk:
            raise Refused("own_publication")
        if passes:
            _refuse_unfit(case)
            _refuse_personal(case, held.title, held.text, held.reply)
            held.state, held.reviewed_by, held.published_at = PublicationState.PUBLISHED, actor, at
        else:
            held.state, held.why = PublicationState.DECLINED, _reason(why)
        held.save()
        _append(case, actor=actor, at=at, code="publish" if passes else "decline_publication", note=held.why)
        code = "publishing.published" if passes else "publishing.declined"
        record(actor=actor, at=at, code=code, subject=case, subject_label=str(case), why=held.why)
    return held


def take_down(*, actor: User, at: datetime, publication: Publication, why: str) -> Publication:
    """撤下: at once, by one person, with a reason; it may be written anew.

    Errors: forbidden, not_found, publication_state, reason_required.
    """
    _need(actor, rules.EDITORS | rules.REVIEWERS, "撤下公开件")
    with work.locked(publication.case) as case:
        held = _held(actor, publication, case)
        if held.state != PublicationState.PUBLISHED:
            raise Refused("publication_state", state=held.get_state_display())
        held.state, held.why = PublicationState.WITHDRAWN, _reason(why)
        held.save()
        _append(case, actor=actor, at=at, code="take_down", note=held.why)
        record(actor=actor, at=at, code="publishing.withdrawn", subject=case, subject_label=str(case), why=held.why)
    return held


def withdraw_consent(*, at: datetime, case: Case) -> None:
    """The citizen agrees no longer (个保法 §15): nothing of the case is public from now on. Repeated, it stays as it is."""
    with work.locked(case) as held:
        if not held.publishable:
            return
        held.publishable = False
        _append(held, actor=CITIZEN, at=at, code="withdraw_consent")
        Publication.objects.filter(case=held).update(state=PublicationState.WITHDRAWN, why="诉求人撤回同意")
        record(actor=CITIZEN, at=at, code="publishing.consent_withdrawn", subject=held, subject_label=str(held))


def give_consent(*, at: datetime, case: Case) -> None:
    """The citizen changes their mind the other way: it may be published, after two persons' eyes. Repeated, it stays as it is.

    Errors: not_publishable where it never would be (domain.md §2.10).
    """
    with work.locked(case) as held:
        if held.publishable:
            return
        if not queries.may_agree(held):
            raise Refused("not_publishable", why="匿名、保密、举报的诉求不公开")
        held.publishable = True
        _append(held, actor=CITIZEN, at=at, code="give_consent")
        record(actor=CITIZEN, at=at, code="publishing.consent_given", subject=held, subject_label=str(held))


def follow_reopening(done: work.Work) -> None:
    """A case handled again has another answer to come: what was written of the first is not public again by its closing."""
    Publication.objects.filter(case=done.case, state__in=[PublicationState.PROPOSED, PublicationState.PUBLISHED]).update(
        state=PublicationState.WITHDRAWN, why="重新办理"
    )


# --- parts -------------------------------------------------------------------------------------------------------


def _need(actor: User, roles: frozenset[str], what: str) -> None:
    if not actor.has_any(roles):
        raise Refused("forbidden", action=what)


def _append(case: Case, *, actor: User | Outsider, at: datetime, code: str, note: str = "") -> None:
    """On the case's timeline, which is what open screens follow; the caller holds the case."""
    payload = {"summary": rules.ACTS[code], "facts": {}, "before": {}, "after": {}}
    work.append(case, actor=actor, at=at, code=code, payload=payload, note=note)
    case.save(update_fields=["publishable", "timeline_head", "timeline_length"])


def _held(actor: User, publication: Publication, case: Case) -> Publication:
    """As it stands now that the case is held: every write of a publication holds its case first."""
    _refuse_unseen(actor, case)
    return Publication.objects.get(pk=publication.pk)


def _refuse_unseen(actor: User, case: Case) -> None:
    if not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise Refused("not_found")


def _refuse_unfit(case: Case) -> None:
    why = queries.why_not(case)
    if why:
        raise Refused("not_publishable", why=why)


def _refuse_personal(case: Case, *texts: str) -> None:
    """What a pattern finds, and the citizen's own values wherever they stand."""
    whole = "\n".join(texts)
    found = sorted({PLACEHOLDERS[span.kind] for span in find_personal(whole)})
    who = case.applicant
    if names_person(whole, [who.name, who.phone, who.id_number, who.address, who.organisation, who.credit_code]):
        found.append("诉求人的姓名、电话、住址或企业名称")
    if rules.is_never_public(whole):
        raise Refused("not_publishable", why="涉及暴力、伤害或隐私")
    if found:
        raise Refused("still_personal", found="、".join(found))


def _county(place: Place | None) -> Place | None:
    while place is not None and place.level != PlaceLevel.COUNTY:
        place = place.parent
    return place


def _reason(why: str) -> str:
    if not why.strip():
        raise Refused("reason_required")
    return why.strip()[:200]
