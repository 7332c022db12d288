"""The views: one that starts a run, one that takes its answer, one that tells how it stands."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path

from distgraph.errors import ResumeError, ThreadNotFound
from examples.django_project.graphs import backend, graph


def sign_up(_request: HttpRequest, name: str) -> JsonResponse:
    """Store a user who may not come in yet; start the run once that is committed."""
    config = {"configurable": {"thread_id": f"signup-{name}"}}
    with transaction.atomic():
        user = User.objects.create_user(name, is_active=False)
        transaction.on_commit(lambda: graph.submit({"user": user.pk}, config, by="web"))
    return JsonResponse({"user": user.pk}, status=202)


def decide(request: HttpRequest, name: str) -> JsonResponse:
    """Answer; 409 when that was done already."""
    try:
        run = backend.thread(f"signup-{name}").resume(request.POST["approved"] == "yes", by="web")
    except (ResumeError, ThreadNotFound) as error:
        return JsonResponse({"error": str(error)}, status=409)
    return JsonResponse({"run": run.id}, status=202)


def show(_request: HttpRequest, name: str) -> JsonResponse:
    """Tell whether a user may come in, and what the thread does."""
    user = get_object_or_404(User, username=name)
    thread = backend.thread(f"signup-{name}")
    return JsonResponse({"active": user.is_active, "thread": thread.status})


urlpatterns = [
    path("signups/<str:name>", sign_up),
    path("signups/<str:name>/decide", decide),
    path("signups/<str:name>/show", show),
]
