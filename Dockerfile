FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY distgraph distgraph
COPY workers workers
COPY checkpoint_redis checkpoint_redis
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home distgraph
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels distgraph
WORKDIR /app
COPY examples examples
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER distgraph
STOPSIGNAL SIGTERM
# This worker alone, by its heartbeat and by what it takes from queues.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s \
    CMD ["distgraph", "doctor", "--worker", "worker@%h"]
CMD ["distgraph", "worker", "examples.refunds:graph", "--hostname", "worker@%h"]
