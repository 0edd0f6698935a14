"""What is needed and does not answer: it is nobody's fault who asks, and may be over soon."""

from barque.logs.thread import LogsUnavailable
from barque.routing.port import RouterUnavailable
from barque.runtimes.port import RuntimeUnavailable
from barque.store.unavailable import StoreUnavailable
from barque.uploads.store import UploadsUnavailable

UNAVAILABLE = (
    RuntimeUnavailable, RouterUnavailable, StoreUnavailable, LogsUnavailable, UploadsUnavailable,
)  # fmt: skip
