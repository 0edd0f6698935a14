"""Endpoints of an organization's git credentials."""

import msgspec
from sqlalchemy import select

from barque.audit.log import record
from barque.credentials.models import GitCredential
from barque.credentials.schemas import CredentialView, NewCredential
from barque.http import Call, Routes

routes = Routes("/orgs/{org}/git-credentials")


def _view(row: GitCredential) -> CredentialView:
    return msgspec.convert(row, CredentialView, from_attributes=True)


def _said(row: GitCredential) -> dict[str, str | None]:
    """Describe a credential for the audit log, without its value."""
    return {"kind": row.kind, "host": row.host, "repository": row.repository}


@routes.endpoint("GET", answer=list[CredentialView])
async def list_credentials(call: Call) -> list[CredentialView]:
    """List an organization's git credentials, without their values."""
    rows = select(GitCredential).where(GitCredential.org_id == call.place.org.id)
    async with call.platform.database.read() as session:
        return [_view(row) for row in await session.scalars(rows.order_by(GitCredential.name))]


@routes.endpoint(
    "POST", answer=CredentialView, status=201, role="admin", body=NewCredential, errors=(409,)
)
async def add_credential(call: Call) -> CredentialView:
    """Add a git credential; a key without a value is made, and its public part shown."""
    body = await call.body(NewCredential)
    async with call.platform.database.write() as session:
        row = await call.platform.credentials.add(session, call.place, body)
        record(session, call, "git-credential.add", f"git-credentials/{row.name}", after=_said(row))
        return _view(row)


@routes.endpoint("DELETE", "/{credential}", status=204, role="admin")
async def remove_credential(call: Call) -> None:
    """Delete a git credential, by its name or id."""
    async with call.platform.database.write() as session:
        row = await call.platform.credentials.at(session, call.place, call.path["credential"])
        await session.delete(row)
        record(
            session, call, "git-credential.remove", f"git-credentials/{row.name}", before=_said(row)
        )
