"""Celery applications that tests hand to worker processes."""
