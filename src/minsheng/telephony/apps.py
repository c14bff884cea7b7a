from django.apps import AppConfig


class TelephonyConfig(AppConfig):
    name = "minsheng.telephony"
    verbose_name = "电话与座席"

    def ready(self) -> None:
        """Have the centre's queues, pause codes and prompts loaded with all other reference data; watch the switch."""
        from minsheng.cases import reference as cases
        from minsheng.telephony import reference, watching
        from minsheng.ui import alarms

        cases.also("技能组", reference.load_queues)
        cases.also("示忙原因", reference.load_pause_codes)
        cases.also("提示语音", reference.load_prompts)
        alarms.watch("telephony", alarms=watching.watched_alarms, facts=watching.watched_facts)
