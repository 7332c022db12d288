"""The settings of the example: as small as they can be."""

from __future__ import annotations

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "for trying out only")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "examples.django_project.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", "django.sqlite"),
    }
}
USE_TZ = True
