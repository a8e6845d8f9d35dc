"""Django's settings, made from the environment alone: see `environment.py` for each, its default and its reason."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from postroom.environment import read

POSTROOM = read(os.environ)

SECRET_KEY = POSTROOM.secret_key_file.read_text().strip() if POSTROOM.secret_key_file else os.urandom(32).hex()
DEBUG = False
ALLOWED_HOSTS = [urlsplit(POSTROOM.origin).hostname or "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "postroom.Login"
ROOT_URLCONF = "postroom.web.urls"
WSGI_APPLICATION = "postroom.web.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "postroom.apps.PostroomConfig",
]

_DSN = conninfo_to_dict(POSTROOM.database_url)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DSN.get("dbname", "postroom"),
        "USER": _DSN.get("user", "postroom_app"),
        "HOST": _DSN.get("host", ""),
        "PORT": str(_DSN.get("port", "")),
        "PASSWORD": _DSN.get("password", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "postroom"},
    }
}

MIDDLEWARE = [
    "postroom.web.proxies.Proxies",
    "postroom.api.outside.Outside",
    "postroom.web.guard.Guard",
    "postroom.web.app_hosts.AppHosts",
    "postroom.web.gate.Gate",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web/templates"],
        "APP_DIRS": True,  # the sign-in library's own, where we have no better one
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "postroom.web.around.context",
            ],
            "libraries": {"parts": "postroom.web.templatetags.parts"},
        },
    }
]
STATIC = Path(__file__).parent / "web/static"


def _static_version() -> str:
    """What the files are, in their address: a browser may keep them for ever, and never shows old ones."""
    digest = hashlib.sha256(version("django-allauth").encode())
    for one in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(one.read_bytes())
    return digest.hexdigest()[:12]


STATIC_URL = f"/static/{_static_version()}/"
STATICFILES_DIRS = [STATIC]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # straight from the installed package: no collectstatic step to forget
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = r".*"  # their address says which version they are

# Signing in. Pages are http://localhost or https, so the cookies are as strict as the origin lets them be.
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "postroom.web.mailbox_door.Owners",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
SECURE = POSTROOM.origin.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = POSTROOM.session_hours * 3600  # also where nothing is asked again: web/session_limits.py
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "postroom_session", "postroom_csrf"
CSRF_TRUSTED_ORIGINS = [POSTROOM.origin]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie beside these two
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
X_FRAME_OPTIONS = "DENY"
LOGIN_URL, LOGIN_REDIRECT_URL = "/sign-in/", "/"

# The sign-in library: no signing up, no resetting by mail; people come by the link of their invite.
ACCOUNT_ADAPTER = "postroom.web.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGIN_TIMEOUT = 900
ALLAUTH_RATE_LIMIT_IPV6_PREFIX = 64  # one source, as our own limits have it (access/throttle.py)
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key"}
MFA_ADAPTER = "postroom.web.kept_factors.KeptFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Postroom"
MFA_TOTP_TOLERANCE = 1  # a code typed as the half minute ended is still good (RFC 6238, 5.2)
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "postroom.web.passkeys.AddPasskey"}
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
USERSESSIONS_TRACK_ACTIVITY = True
CACHES = {
    "default": {"BACKEND": "postroom.web.limits.Limits", "LOCATION": "counted", "OPTIONS": {"MAX_ENTRIES": 100_000}}
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # A request's path may hold a one-time link: what Django says of 4xx is left to the pages themselves.
    "loggers": {"django.request": {"level": "CRITICAL"}, "procrastinate": {"level": "WARNING"}},
}
