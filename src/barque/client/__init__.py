"""The Python client: `Client(url, key)`."""

from barque.client.client import Client, Service, Webhook
from barque.client.transport import ApiError, Unreachable

__all__ = ["ApiError", "Client", "Service", "Unreachable", "Webhook"]
