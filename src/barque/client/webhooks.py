"""One webhook."""

from typing import Unpack

from barque.client.shapes import ChangedWebhook, DeliveryView, MadeWebhook, WebhookView
from barque.client.verbs import C, Handle, stream, verb
from barque.client.work import Stream, Work


class Webhook(Handle[C]):
    """One webhook, of which `url`, `events` and `active` can be changed."""

    @verb
    def get(self) -> Work[WebhookView]:
        """Show the webhook."""
        return self._ask("GET")

    @verb
    def update(self, **fields: Unpack[ChangedWebhook]) -> Work[WebhookView]:
        """Change the webhook; making it active sends what waited meanwhile."""
        return self._ask("PATCH", "", fields)

    @verb
    def delete(self) -> Work[None]:
        """Delete the webhook, with its deliveries."""
        return self._ask("DELETE")

    @verb
    def rotate(self) -> Work[MadeWebhook]:
        """Give it a new secret, which is in the answer; for a day the old one signs as well."""
        return self._ask("POST", "/rotate")

    @verb
    def ping(self) -> Work[DeliveryView]:
        """Send an event that tells of nothing; returns the delivery."""
        return self._start("/ping")

    @stream
    def deliveries(self, *, per_page: int = 100) -> Stream[DeliveryView]:
        """Read what was sent, newest first."""
        return self._pages("/deliveries", per_page)

    @verb
    def redeliver(self, delivery_id: str) -> Work[DeliveryView]:
        """Send an event once more; returns the new delivery."""
        return self._start(f"/deliveries/{delivery_id}/redeliver")
