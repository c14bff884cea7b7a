from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "minsheng.organisations"
    verbose_name = "地点与单位"
