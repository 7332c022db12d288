"""Celery and its broker: settings of applications, publishing, the transport, depth of queues."""
