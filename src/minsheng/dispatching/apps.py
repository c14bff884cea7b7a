from django.apps import AppConfig


class DispatchingConfig(AppConfig):
    name = "minsheng.dispatching"

    def ready(self) -> None:
        """Bring the room's forms and its desk to where they are looked for."""
        from minsheng.accounts.choices import Role
        from minsheng.cases.scope import alike
        from minsheng.dispatching import panels, queries, several
        from minsheng.ui.desks import Desk, register

        assert panels.__all__ and several.prepare is not None  # importing them registers each form, and what several may undergo
        register(
            Desk(
                code="dispatch",
                label="批转",
                icon="route",
                roles=frozenset({Role.DISPATCHER, Role.TEAM_LEADER, Role.HOTLINE_LEADER}),
                url="dispatching:desk",
                count=queries.waiting_count,
                alike=alike,
                stirred_by=frozenset(queries.DISPATCH_STATES),
                home=frozenset({Role.DISPATCHER}),
            )
        )
