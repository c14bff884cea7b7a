from django.apps import AppConfig


class DispatchingConfig(AppConfig):
    name = "minsheng.dispatching"
