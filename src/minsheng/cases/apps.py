from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "minsheng.cases"

    def ready(self) -> None:
        """Register this room's forms of actions and its desks."""
        from minsheng.cases import desks, tasks
        from minsheng.cases.panels import auditing, ending, handling, intake  # noqa: F401 - importing registers them

        desks.register_all()
        tasks.connect()
