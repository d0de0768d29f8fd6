"""What the server counts, for Prometheus. A registry a server, nothing global."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """Requests by route and status, verdicts by status, judge errors, and the queue."""

    def __init__(self, routes: frozenset[str], judge: dict[str, str]) -> None:
        """judge: what decides what a program meets here: the executor, and the packages."""
        self._routes = routes
        self._registry = CollectorRegistry()
        Info("ctrl_harness_judge", "How programs run.", registry=self._registry).info(judge)
        self._requests = Counter(
            "ctrl_harness_requests", "Requests by route and HTTP status (0: the client went away).",
            ("route", "status"), registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "ctrl_harness_request_seconds", "Wall seconds of a request, waiting included.",
            ("route",), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._verdicts = Counter(
            "ctrl_harness_verdicts", "Programs judged, by the verdict's status.",
            ("status",), registry=self._registry,
        )  # fmt: skip
        self._judge_errors = Counter(
            "ctrl_harness_judge_errors", "Programs that could not be judged.",
            registry=self._registry,
        )  # fmt: skip
        self._surplus = Counter(
            "ctrl_harness_surplus_requests", "Requests refused because connections were all taken.",
            registry=self._registry,
        )  # fmt: skip
        self._running = Gauge(
            "ctrl_harness_running", "Requests being judged.", registry=self._registry
        )
        self._waiting = Gauge(
            "ctrl_harness_waiting", "Requests waiting for a worker.", registry=self._registry
        )

    def request(self, path: str, status: int, seconds: float) -> None:
        route = path if path in self._routes else "other"  # a label a path would have no end
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def verdict(self, status: str) -> None:
        self._verdicts.labels(status).inc()

    def judge_error(self) -> None:
        self._judge_errors.inc()

    def surplus(self) -> None:
        self._surplus.inc()

    def inside(self, requests: int, workers: int) -> None:
        self._running.set(min(requests, workers))
        self._waiting.set(max(0, requests - workers))

    def page(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
