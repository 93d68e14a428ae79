"""The web: Django's core and applications, the API, the admin, their security, and the logs."""

from datetime import timedelta

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from adtiger import logs
from adtiger.env import env_bool, env_choice, env_int, env_list, env_secret
from adtiger.localsecrets import local_secret
from adtiger.settings.base import BASE_DIR, HOME, IS_PRODUCTION

# --- Core ---------------------------------------------------------------------------------------
SECRET_KEY = env_secret("SECRET_KEY", required=IS_PRODUCTION) or local_secret(HOME, "secret_key")
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list(
    "ALLOWED_HOSTS", default="" if IS_PRODUCTION else "localhost,127.0.0.1,[::1],testserver"
)
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "adtiger.urls"
WSGI_APPLICATION = "adtiger.wsgi.application"
LOGIN_REDIRECT_URL = "admin:index"
APPEND_SLASH = False  # the frontend's paths have none
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # bytes; 1,000 campaign ids need 25 kB

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_celery_results",
    "django_structlog",
    "sync",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "adtiger.health.answer_probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sync.admin.site.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION  # development serves without collectstatic

# --- REST ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "sync.api.authentication.ApiTokenAuthentication",  # first: its 401 names the scheme
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sync.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
KNOX_TOKEN_MODEL = "sync.ApiToken"  # noqa: S105  (a model's name)
MIGRATION_MODULES = {"knox": None}  # ours replaces its only model, whose migrations would make a table
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "adt_",  # lets secret scanners recognise a leaked token
    "TOKEN_TTL": timedelta(days=env_int("API_TOKEN_DAYS", default=365, minimum=1)),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AdTiger",
    "DESCRIPTION": "Start syncs of Meta and Google ad accounts, follow them, and read what they copied.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {  # they stand in several fields, or under the same name
        "ProviderEnum": "sync.models.choices.Provider",
        "StatusEnum": "sync.api.words.Status",
        "EntityStatusEnum": "sync.models.catalog.STATUSES",
        "ConditionEnum": "sync.models.connection.CONDITIONS",
    },
}

# --- Security -----------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a new token stays on the server
HTTPS = env_bool("HTTPS", default=IS_PRODUCTION)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probed inside the cluster, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0  # one year, as the preload lists want it
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
CONTENT_SECURITY_POLICY = {  # why so: docs/adr/0027-what-a-page-may-load.md
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CREDENTIAL_KEYS = env_secret("CREDENTIAL_KEYS", required=IS_PRODUCTION) or local_secret(
    HOME, "credential_key"
)
CRON_SECRET = env_secret("CRON_SECRET")  # unset: the cron routes answer 401

# --- Logging ------------------------------------------------------------------------------------
LOG_LEVEL = env_choice("LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOG_FORMAT = env_choice(
    "LOG_FORMAT", choices=("json", "console"), default="json" if IS_PRODUCTION else "console"
)
LOGGING = logs.configure(LOG_LEVEL, LOG_FORMAT)

# --- Admin --------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "AdTiger",
    "SITE_HEADER": "AdTiger",
    "SITE_SUBHEADER": "All times are in UTC",
    "SITE_SYMBOL": "sync",
    "SITE_URL": None,  # the admin is the site
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "sync.admin.site.icon"}],
    "ENVIRONMENT": "sync.admin.site.environment",
    "DASHBOARD_CALLBACK": "sync.admin.site.dashboard",
    "SIDEBAR": {"navigation": "sync.admin.navigation.navigation"},
}
