"""Kinds of places and of units (domain.md §4.3-8, §7)."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class PlaceLevel(ColouredChoices):
    """The two levels a case is placed at."""

    COUNTY = "county", "县（市）区", "azure"
    STREET = "street", "乡镇街道", "teal"


class UnitKind(ColouredChoices):
    """What sort of body a unit (承办单位) is."""

    CITY = "city", "市政府", "dark"
    DEPARTMENT = "department", "市直部门", "blue"
    INSTITUTION = "institution", "市属事业单位", "cyan"
    COUNTY = "county", "县（市）区政府", "azure"
    ZONE = "zone", "功能区", "indigo"
    BUREAU = "bureau", "县区部门", "teal"
    STREET = "street", "乡镇街道", "green"
    UTILITY = "utility", "公服企业", "orange"
    VERTICAL = "vertical", "垂直管理单位", "purple"
    CENTRE = "centre", "热线中心", "red"
    INSPECTION = "inspection", "督查效能", "pink"


class AssessmentGroup(ColouredChoices):
    """Units are assessed among their like (domain.md §3.4; 国办66号(八))."""

    COUNTIES = "counties", "县（市）区", "azure"
    ENFORCEMENT = "enforcement", "市直执法部门", "blue"
    DEPARTMENTS = "departments", "市直综合部门", "cyan"
    UTILITIES = "utilities", "公服企业", "orange"
    VERTICAL = "vertical", "垂直管理单位", "purple"
    BUREAUS = "bureaus", "县区部门", "teal"
    STREETS = "streets", "乡镇街道", "green"
    NONE = "none", "不参评", "secondary"


class Line(ColouredChoices):
    """Line of business (条线) that a city department and its county bureaus share; topics name their lead by it."""

    CITY_MANAGEMENT = "city_management", "城管"
    HOUSING = "housing", "住建"
    EDUCATION = "education", "教育"
    MARKET = "market", "市场监管"
    HEALTH = "health", "卫健"
    LABOUR = "labour", "人社"
    CIVIL = "civil", "民政"
    ECOLOGY = "ecology", "生态环境"
    POLICE = "police", "公安"
    TRAFFIC_POLICE = "traffic_police", "交警"
    AGRICULTURE = "agriculture", "农业农村"
    RESOURCES = "resources", "自然资源"
    TRANSPORT = "transport", "交通运输"
    WATER = "water", "水利"
    CULTURE = "culture", "文旅体"
    EMERGENCY = "emergency", "应急管理"
    INSURANCE = "insurance", "医保"
    VETERANS = "veterans", "退役军人"
    FIRE = "fire", "消防救援"
    COMMERCE = "commerce", "商务工信"
    DEVELOPMENT = "development", "发展改革"
    JUSTICE = "justice", "司法行政"
    FORESTRY = "forestry", "林业"
    TAX = "tax", "税务"
    PARKS = "parks", "园林"
    LETTERS = "letters", "信访"
