"""The forms of this room's actions. Imported by AppConfig.ready."""

from minsheng.dispatching.panels import case, dispatch, study

__all__ = ["case", "dispatch", "study"]
