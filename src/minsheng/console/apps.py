from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "minsheng.console"

    def ready(self) -> None:
        """Desks of those whom no room serves yet: everyone lands somewhere with what waits for them."""
        from minsheng.cases import lists
        from minsheng.console import list_actions

        if not lists.preferences:
            lists.preferences.append(list_actions.preferences)
        from minsheng.console import bell, condition, day, overview, records, security, system

        for module in (overview, day, system, security, records):
            module.register_desks()
        condition.watch()
        bell.register()
