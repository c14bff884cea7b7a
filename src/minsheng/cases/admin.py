"""Configuration of topics, grounds and reasons. Every save is an action; nothing is deleted, an end has a date."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from minsheng.cases import reference
from minsheng.cases.models.reference import ReasonCode, RefusalGround, Topic
from minsheng.cases.reference_rules import in_words
from minsheng.organisations.admin import ReferenceAdmin
from minsheng.organisations.models import ReferenceRow


@admin.register(Topic)
class TopicAdmin(ReferenceAdmin):
    """主题: the whole tree in the order of its codes."""

    list_display = (
        "code", "name", "level", "default_lead", "rule_in_words", "legal_basis", "on_convenience_list", "urgent", "route", "valid_to"
    )  # fmt: skip
    list_filter = ("level", "on_convenience_list", "urgent", "confidential_by_default", "risk", "default_kind")
    list_select_related = ("default_lead",)
    search_fields = ("code", "search_key", "legal_basis")
    ordering = ("code",)
    fixed = ("code", "level", "parent")
    autocomplete_fields = ("parent", "default_lead")
    fields = (
        ("code", "name"),
        ("level", "parent"),
        "aliases",
        "keywords",
        ("default_kind", "route"),
        ("lead_rule", "default_lead"),
        "assisting_rules",
        "legal_basis",
        "statutory_note",
        "on_convenience_list",
        ("urgent", "confidential_by_default", "risk"),
        "required_fields",
        ("valid_from", "valid_to"),
        "law_row",
        "source",
        "drawn_version",
    )

    @admin.display(description="主办规则", ordering="lead_rule")
    def rule_in_words(self, topic: Topic) -> str:
        """“属地城管部门” for `bureau:city_management`."""
        return in_words(topic.lead_rule)

    def save_by_action(self, request: HttpRequest, obj: ReferenceRow) -> None:
        """By `save_topic`."""
        assert isinstance(obj, Topic)
        reference.save_topic(actor=request.user, at=timezone.now(), topic=obj)


@admin.register(RefusalGround)
class RefusalGroundAdmin(ReferenceAdmin):
    """不予受理情形."""

    list_display = ("order", "name", "legal_route", "requires_leader_review", "valid_from", "valid_to")
    list_display_links = ("name",)
    list_filter = ("requires_leader_review",)
    search_fields = ("code", "name", "legal_route", "text")
    search_help_text = "情形、法定途径或告知内容"
    ordering = ("order", "code")
    fields = (
        ("code", "name", "order"),
        "legal_route",
        "hotlines",
        "text",
        "basis",
        "requires_leader_review",
        ("valid_from", "valid_to"),
        "source",
        "drawn_version",
    )


@admin.register(ReasonCode)
class ReasonCodeAdmin(ReferenceAdmin):
    """原因代码."""

    list_display = ("list", "order", "code", "label", "text", "valid_to")
    list_display_links = ("label",)
    list_filter = ("list",)
    search_fields = ("code", "label", "text")
    search_help_text = "名称、说明或代码"
    ordering = ("list", "order", "code")
    fixed = ("list", "code")
    fields = (("list", "code", "order"), "label", "text", ("valid_from", "valid_to"), "source", "drawn_version")
