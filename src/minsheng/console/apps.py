from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "minsheng.console"

    def ready(self) -> None:
        """Desks of those whom no room serves yet: everyone lands somewhere with what waits for them."""
        from minsheng.console import overview

        overview.register_desks()
