from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from minsheng.cases.queries import CaseView


class FollowupConfig(AppConfig):
    name = "minsheng.followup"

    def ready(self) -> None:
        """Bring the room's forms, its desk and its part of the case page to where they are looked for."""
        from minsheng.accounts.choices import Role
        from minsheng.cases import sections
        from minsheng.cases.choices import CaseState
        from minsheng.cases.scope import alike
        from minsheng.followup import panels, queries
        from minsheng.ui.desks import Desk, register

        assert panels.__all__  # importing them registers each form
        register(
            Desk(
                code="follow_up",
                label="回访",
                icon="phone-call",
                roles=frozenset({Role.FOLLOW_UP, Role.TEAM_LEADER, Role.HOTLINE_LEADER}),
                url="followup:desk",
                # The acts are those that bring a closed case here, or take it away.
                stirred_by=frozenset({CaseState.TO_FOLLOW_UP.value, "rate", "keep_closed", "second_handling", "reopen"}),
                count=queries.waiting_count,
                alike=alike,
                home=frozenset({Role.FOLLOW_UP}),
            )
        )
        section = sections.Section(code="follow_up", title="回访与评价", template="followup/section.html", context=_section)
        sections.register(section)


def _section(view: "CaseView") -> Any:
    """All tries and both ratings; what the citizen said is hidden where the person is."""
    from minsheng.followup import queries
    from minsheng.secrecy import redact

    tries = queries.of_case(view.case)
    if not tries:
        return None
    seen = view.disclosure
    said = {each.pk: (redact(each.comment) if seen.redacted else each.comment) if seen.words else "" for each in tries}
    return {"case": view.case, "tries": [(each, said[each.pk]) for each in tries]}
