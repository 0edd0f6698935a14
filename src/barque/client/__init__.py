"""The Python client: `Client(url, key)`, and `AsyncClient(url, key)` for asyncio.

Handles carry the way they work in their type: `Client.service` returns a `Service[Blocking]`, and
that of `AsyncClient` a `Service[Awaiting]`. What is answered is a dict of a shape that
`barque.client.shapes` names.
"""

from barque.client.addresses import BadAddress
from barque.client.client import AsyncClient, Client
from barque.client.connections import Awaiting, Blocking
from barque.client.envs import Env
from barque.client.errors import ApiError, Unreachable
from barque.client.orgs import Org
from barque.client.packing import CannotPack
from barque.client.projects import Project
from barque.client.services import Service
from barque.client.sessions import AsyncSession, Output, Session
from barque.client.webhooks import Webhook
from barque.client.work import Retries

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncSession",
    "Awaiting",
    "BadAddress",
    "Blocking",
    "CannotPack",
    "Client",
    "Env",
    "Org",
    "Output",
    "Project",
    "Retries",
    "Service",
    "Session",
    "Unreachable",
    "Webhook",
]
