"""Counts and times of the platform itself, for Prometheus."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from barque.deployments.models import Deployment
from barque.images.models import Image

if TYPE_CHECKING:
    from barque.platform import Platform


class RequestMetrics:
    """What the API was asked, and how long its answers took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "barque_http_requests_total", "Requests of the API.", ["endpoint", "status"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "barque_http_request_seconds", "Time to answer a request of the API.",
            registry=self.registry,
        )  # fmt: skip

    def observe(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.observe(seconds)


async def exposition(platform: "Platform") -> bytes:
    """Render every figure in Prometheus' text format."""
    registry = CollectorRegistry()
    async with platform.database.read() as session:
        for table, name in ((Image, "images"), (Deployment, "deployments")):
            gauge = Gauge(f"barque_{name}", f"{name} by status.", ["status"], registry=registry)
            counts = select(table.status, func.count()).group_by(table.status)
            for status, count in (await session.execute(counts)).all():
                gauge.labels(status).set(count)
    return generate_latest(registry) + generate_latest(platform.requests.registry)
