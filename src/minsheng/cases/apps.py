from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "minsheng.cases"
    verbose_name = "主题与理由"

    def ready(self) -> None:
        """Register this room's forms of actions and its desks."""
        from minsheng.cases import checks, desks, indexing, tasks  # noqa: F401 - checks register themselves
        from minsheng.cases.panels import asking, auditing, ending, handling, intake, replying, several  # noqa: F401 - importing registers them

        desks.register_all()
        tasks.connect()
        indexing.connect()
