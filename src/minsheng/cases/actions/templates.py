"""Reply templates (答复模板): made, changed and removed by a unit's own people; nobody's personal data goes into one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from minsheng.audit.actions import record
from minsheng.cases.models import ReplyTemplate
from minsheng.errors import Refused
from minsheng.secrecy import find_personal
from minsheng.secrecy.personal import PLACEHOLDERS

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import Topic
    from minsheng.organisations.models import Unit

MOST = 200  # of one unit: a list that people still read


def save_template(
    *,
    actor: User,
    at: datetime,
    name: str,
    text: str,
    basis: str = "",
    topic: Topic | None = None,
    template: ReplyTemplate | None = None,
    seen: datetime | None = None,
) -> ReplyTemplate:
    """Make one for the actor's unit, or change one of it. `seen`: when it had last been changed as the screen showed it.

    Errors: forbidden; not_your_unit; reason_required (no words); template_names (a person in it); template_too_many;
    template_changed (somebody has changed it since).
    """
    unit = _require_unit(actor, template)
    name, text, basis = name.strip(), text.strip(), basis.strip()
    if not name or not text:
        raise Refused("reason_required")
    refuse_persons(name, text, basis)
    with transaction.atomic():
        if template is None and ReplyTemplate.objects.filter(unit=unit).count() >= MOST:
            raise Refused("template_too_many", most=MOST)
        saved = _held(template, seen) if template else ReplyTemplate(unit=unit)
        saved.name, saved.text, saved.basis, saved.topic = name, text, basis, topic
        saved.changed_at, saved.changed_by = at, actor
        saved.save()
        record(
            actor=actor,
            at=at,
            code="unit.template_saved",
            subject=saved,
            subject_label=name,
            detail={"unit": str(unit), "topic": topic.name if topic else "", "name": name},
        )
    return saved


def _held(template: ReplyTemplate, seen: datetime | None) -> ReplyTemplate:
    """The row, locked, if it is what was seen."""
    held = ReplyTemplate.objects.select_for_update(of=("self",)).select_related("changed_by").filter(pk=template.pk).first()
    if held is None:
        raise Refused("not_found")
    if seen is not None and held.changed_at != seen:
        raise Refused("template_changed", who=held.changed_by.display_name)
    return held


def remove_template(*, actor: User, at: datetime, template: ReplyTemplate) -> None:
    """Replies written from it stay as they are. Errors: forbidden, not_your_unit."""
    unit = _require_unit(actor, template)
    with transaction.atomic():
        record(
            actor=actor,
            at=at,
            code="unit.template_removed",
            subject=template,
            subject_label=template.name,
            detail={"unit": str(unit), "name": template.name},
        )
        template.delete()


def refuse_persons(*texts: str) -> None:
    """A template goes to other cases: what tells of a person stays in its own. Errors: template_names."""
    kinds = {span.kind for text in texts for span in find_personal(text)}
    if kinds:
        named = "、".join(sorted(PLACEHOLDERS[kind].strip("〔〕") for kind in kinds))
        raise Refused("template_names", kinds=named)


def _require_unit(actor: User, template: ReplyTemplate | None) -> Unit:
    if actor.unit is None or not actor.is_unit:
        raise Refused("forbidden", action="管理答复模板")
    if template is not None and template.unit_id != actor.unit_id:
        raise Refused("not_your_unit", action="修改模板")
    return actor.unit
