"""All settings, from the environment; `.env` beside manage.py is read first.

Two modes. `embedded` (the default) is one machine: `python3 manage.py up` starts PostgreSQL and Redis itself and serves
on loopback. `JURYBOX_MODE=production` expects real services, a secret key, host names and HTTPS, and refuses to
start without them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("JURYBOX_VAR", default=str(BASE_DIR / "var")))
MODE = env.str("JURYBOX_MODE", default="embedded")
if MODE not in {"embedded", "production"}:
    raise ImproperlyConfigured(f'JURYBOX_MODE is "{MODE}". Set it to "embedded" or "production".')
PRODUCTION = MODE == "production"
DEBUG = env.bool("JURYBOX_DEBUG", default=False)
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured("JURYBOX_DEBUG shows secrets on error pages: leave it unset in production mode.")


def _secret_key() -> str:
    key: str = env.str("JURYBOX_SECRET_KEY", default="")
    if key:
        return key
    if PRODUCTION:
        raise ImproperlyConfigured(
            "JURYBOX_SECRET_KEY is not set. Make one with "
            '`python3 -c "import secrets; print(secrets.token_urlsafe(50))"` and put it in the environment or in .env.'
        )
    path = VAR_DIR / "secret_key"
    try:
        if path.is_file() and (kept := path.read_text().strip()):
            return kept
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        key = secrets.token_urlsafe(50)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
    except FileExistsError:  # another process was first
        return path.read_text().strip() or secrets.token_urlsafe(50)
    except OSError:  # a read-only folder: good for this process only, and commands that need no sessions work
        return secrets.token_urlsafe(50)
    return key


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("JURYBOX_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if PRODUCTION and "JURYBOX_HOSTS" not in env.ENVIRON:
    raise ImproperlyConfigured("JURYBOX_HOSTS is not set. Name the hosts people will use, e.g. jurybox.example.org.")
CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS] if PRODUCTION else []

INSTALLED_APPS = [
    "apps.core",
    "apps.accounts",
    "apps.projects",
    "apps.datasets",
    "apps.rubrics",
    "apps.judgments",
    "apps.annotation",
    "apps.judging",
    "apps.analytics",
    "apps.imports",
    "apps.exports",
    "apps.home",
    "channels",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
]

# Every request but the hot one passes these, as sync code in one thread (apps/core/onehop.py says why).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "apps.core.middleware.RefuseNul",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.core.middleware.Preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "apps.config.urls"
ASGI_APPLICATION = "apps.config.asgi.application"
AUTH_USER_MODEL = "accounts.User"
#: where people reach this server, for links printed by commands; empty: where the running `up` serves
PUBLIC_URL = env.str("JURYBOX_URL", default="")
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home:start"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "apps.core.forms.Renderer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

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
                "django.template.context_processors.i18n",
                "apps.core.context_processors.frame",
                "apps.home.context_processors.nav",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "apps.core.templatetags.components",
            ],
        },
    }
]

# Persistent connections, one for each thread of the one-hop pool and each Celery process; the hot endpoint has its own
# async pool. `prepare_threshold` lets psycopg prepare what repeats; Django itself binds on the client.
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgres://jurybox@127.0.0.1:5432/jurybox"),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # The layer waits for messages 5 s at a time, which is also when redis-py would give up by default.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 20}], "prefix": "live"},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # revocable, and a Redis flush signs nobody out
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14

#: threads that answer ordinary pages, each with its own database connection
PAGE_THREADS = env.int("JURYBOX_PAGE_THREADS", default=4)
#: connections of the hot endpoint's pool, for each web process
HOT_CONNECTIONS = env.int("JURYBOX_HOT_CONNECTIONS", default=8)

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "global_keyprefix": "celery:"}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_DEFAULT_QUEUE = "default"
# One queue for each engine, so that a GPU worker takes only what its engine can do.
CELERY_TASK_ROUTES = {"apps.judging.tasks.judge_baseline": {"queue": "judge.baseline"}}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "reconcile-runs": {"task": "apps.judging.tasks.reconcile", "schedule": 10.0},
    "reconcile-imports": {"task": "apps.imports.tasks.reconcile", "schedule": 10.0},
    "return-expired-leases": {"task": "apps.annotation.tasks.return_expired", "schedule": 60.0},
}
#: how long a worker owns a shard without a heartbeat, and how often a shard is tried
SHARD_LEASE_SECONDS = env.int("JURYBOX_SHARD_LEASE_SECONDS", default=60)
SHARD_ATTEMPTS = env.int("JURYBOX_SHARD_ATTEMPTS", default=5)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "servestatic.storage.CompressedManifestStaticFilesStorage"
            if env.bool("JURYBOX_STATIC_MANIFEST", default=PRODUCTION)
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
# Without a manifest the files are served from where they stand: a fresh clone, and the tests.
SERVESTATIC_USE_FINDERS = not env.bool("JURYBOX_STATIC_MANIFEST", default=PRODUCTION)
SERVESTATIC_AUTOREFRESH = DEBUG
MEDIA_ROOT = VAR_DIR / "files"
#: uploads: a form part in memory, a file streamed to disk; imports are bounded by the disk, not by this
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 << 20
FILE_UPLOAD_TEMP_DIR = None

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "apps.core.views.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("JURYBOX_HTTPS_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("JURYBOX_HSTS_SECONDS", default=60 * 60 * 24 * 365)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("JURYBOX_LOG_LEVEL", default="WARNING")},
    "loggers": {"apps": {"level": "INFO"}, "workers": {"level": "INFO"}, "celery": {"level": "INFO"}},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
