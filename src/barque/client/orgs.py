"""One organization: members, audit log, webhooks, git credentials, and its projects."""

from typing import Literal, Unpack

from barque.client.places import Place
from barque.client.shapes import (
    AuditRow,
    CredentialView,
    MadeWebhook,
    MemberView,
    NewCredential,
    NewMember,
    NewProject,
    NewWebhook,
    OrganizationStatus,
    OrganizationView,
    ProjectView,
    Renamed,
    WebhookView,
)
from barque.client.verbs import C, stream, verb
from barque.client.webhooks import Webhook
from barque.client.work import Stream, Work

Role = Literal["admin", "developer", "viewer"]


class Org(Place[C]):
    """One organization."""

    @verb
    def get(self) -> Work[OrganizationView]:
        """Show the organization."""
        return self._ask("GET")

    @verb
    def status(self) -> Work[OrganizationStatus]:
        """Tell how many services of each project are in which state."""
        return self._ask("GET", "/status")

    @verb
    def update(self, **fields: Unpack[Renamed]) -> Work[OrganizationView]:
        """Rename the organization; its slug stays."""
        return self._ask("PATCH", "", fields)

    @verb
    def projects(self) -> Work[list[ProjectView]]:
        """List its projects."""
        return self._ask("GET", "/projects")

    @verb
    def create_project(self, **fields: Unpack[NewProject]) -> Work[ProjectView]:
        """Make a project in it."""
        return self._ask("POST", "/projects", fields)

    @verb
    def members(self) -> Work[list[MemberView]]:
        """List the members."""
        return self._ask("GET", "/members")

    @verb
    def add_member(self, **fields: Unpack[NewMember]) -> Work[MemberView]:
        """Add somebody, known by an e-mail address, as a viewer unless `role` says otherwise."""
        return self._ask("POST", "/members", fields)

    @verb
    def change_member(self, user: str, role: Role) -> Work[MemberView]:
        """Give a member, by id or e-mail address, another role."""
        return self._ask("PATCH", f"/members/{user}", {"role": role})

    @verb
    def remove_member(self, user: str) -> Work[None]:
        """Remove a member, by id or e-mail address."""
        return self._ask("DELETE", f"/members/{user}")

    @stream
    def audit(self, *, per_page: int = 100) -> Stream[AuditRow]:
        """Read the audit log, newest first."""
        return self._pages("/audit", per_page)

    @verb
    def webhooks(self) -> Work[list[WebhookView]]:
        """List the webhooks."""
        return self._ask("GET", "/webhooks")

    @verb
    def create_webhook(self, **fields: Unpack[NewWebhook]) -> Work[MadeWebhook]:
        """Make a webhook for a `url`; its secret is in the answer, this once."""
        return self._ask("POST", "/webhooks", fields)

    def webhook(self, webhook_id: str) -> Webhook[C]:
        """Return a handle of a webhook."""
        return Webhook(self.connection, f"{self.path}/webhooks/{webhook_id}")

    @verb
    def git_credentials(self) -> Work[list[CredentialView]]:
        """List what opens private repositories, without values."""
        return self._ask("GET", "/git-credentials")

    @verb
    def add_git_credential(self, **fields: Unpack[NewCredential]) -> Work[CredentialView]:
        """Add a `token` or an `ssh_key` for a `host`.

        A key without a value is made by the platform, which answers its `public_key`.
        """
        return self._ask("POST", "/git-credentials", fields)

    @verb
    def remove_git_credential(self, name: str) -> Work[None]:
        """Delete a git credential, by its name or id."""
        return self._ask("DELETE", f"/git-credentials/{name}")
