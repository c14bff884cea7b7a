from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "minsheng.publishing"

    def ready(self) -> None:
        """Bring the desk to the rail, and follow what is opened again."""
        from minsheng.cases import answers, events
        from minsheng.cases.choices import CaseState
        from minsheng.publishing import actions, queries, rules
        from minsheng.ui.desks import Desk, register

        register(
            Desk(
                code="publishing",
                label="公开",
                icon="world",
                roles=rules.EDITORS | rules.REVIEWERS,
                url="publishing:desk",
                count=queries.waiting_count,
                # What closes, opens again or is archived comes and goes too.
                stirred_by=frozenset({*rules.ACTS, CaseState.CLOSED.value}),
            )
        )
        events.subscribe("reopen", actions.follow_reopening)
        for code in ("publish", "decline_publication", "take_down"):
            answers.answers(code, "propose_publication", label=rules.ACTS[code])
