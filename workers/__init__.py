"""Runs the supersteps of a graph as Celery jobs."""
