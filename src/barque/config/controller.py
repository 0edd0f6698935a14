"""Endpoints of config, the same at each of the four levels."""

import msgspec
from msgspec import UNSET

from barque.audit.log import record
from barque.config.dotenv import DotenvError, parse_dotenv
from barque.config.models import ConfigVariable
from barque.config.schemas import (
    Bulk,
    BulkAnswer,
    ChangedVariable,
    NewVariable,
    ResolvedView,
    VariableView,
    complaints,
)
from barque.config.service import owner_of
from barque.errors import Invalid, NotFound
from barque.http import Answer, Call, Routes

ORG = "/orgs/{org}"
PROJECT = ORG + "/projects/{project}"
ENVIRONMENT = PROJECT + "/envs/{env}"
SERVICE = ENVIRONMENT + "/services/{svc}"

routes = Routes()


def _view(row: ConfigVariable) -> VariableView:
    return msgspec.convert(row, VariableView, from_attributes=True)


def _flags(new: NewVariable) -> dict[str, bool]:
    """Describe a variable for the audit log, where no value is written."""
    return {"secret": new.secret, "buildtime": new.buildtime}


async def list_config(call: Call) -> list[VariableView]:
    """List the config of one level."""
    async with call.platform.database.read() as session:
        return [_view(row) for row in await call.platform.config.level(session, call.place)]


async def set_config(call: Call) -> Answer:
    """Set a config variable: 201 when it is new, 200 when it was replaced."""
    new = await call.body(NewVariable)
    if wrong := complaints(new):
        raise Invalid(*wrong)
    async with call.platform.database.write() as session:
        row, said = await call.platform.config.set(session, call.place, new)
        if said != "unchanged":
            record(session, call, "config.set", f"config/{new.name}", after=_flags(new))
        return Answer(_view(row), 201 if said == "created" else 200)


async def set_config_bulk(call: Call) -> BulkAnswer:
    """Set many config variables, all or nothing."""
    variables = _wanted(await call.body(Bulk))
    answer = BulkAnswer([], [], [])
    async with call.platform.database.write() as session:
        for new in variables:
            _, said = await call.platform.config.set(session, call.place, new)
            getattr(answer, said).append(new.name)
            if said != "unchanged":
                record(session, call, "config.set", f"config/{new.name}", after=_flags(new))
    return answer


async def update_config(call: Call) -> VariableView:
    """Change a config variable; making a secret public needs a new value."""
    body = await call.body(ChangedVariable)
    config = call.platform.config
    async with call.platform.database.write() as session:
        row = await _row(call, await session.get(ConfigVariable, call.path["config_id"]))
        if row.secret and body.secret is False and body.value is UNSET:
            raise Invalid.field("value", "is required to make a secret public: secrets stay closed")
        new = NewVariable(
            row.name,
            config.text(call.place, row) if body.value is UNSET else body.value,
            row.secret if body.secret is UNSET else body.secret,
            row.buildtime if body.buildtime is UNSET else body.buildtime,
        )
        if wrong := complaints(new):
            raise Invalid(*wrong)
        config.write(call.place, row, new)
        await session.flush()
        record(session, call, "config.set", f"config/{row.name}", after=_flags(new))
        return _view(row)


async def delete_config(call: Call) -> None:
    """Delete a config variable."""
    async with call.platform.database.write() as session:
        row = await _row(call, await session.get(ConfigVariable, call.path["config_id"]))
        await session.delete(row)
        record(session, call, "config.delete", f"config/{row.name}")


async def _row(call: Call, row: ConfigVariable | None) -> ConfigVariable:
    if row is None or row.owner_id != owner_of(call.place)[1]:
        raise NotFound(f"config variable '{call.path['config_id']}' not found here")
    return row


def _wanted(body: Bulk) -> list[NewVariable]:
    if (body.variables is None) == (body.raw is None):
        raise Invalid.field("body", "must have either 'variables' or 'raw'")
    if body.variables is None:
        try:
            pairs = parse_dotenv(body.raw or "")
        except DotenvError as error:
            raise Invalid.field("raw", str(error)) from None
        variables = [NewVariable(n, v, body.secret, body.buildtime) for n, v in pairs.items()]
    else:
        variables = body.variables
    wrong = [
        error
        for index, new in enumerate(variables)
        for error in complaints(new, f"variables[{index}].")
    ]
    if wrong:
        raise Invalid(*wrong)
    return variables


@routes.endpoint("GET", SERVICE + "/config/resolved", answer=list[ResolvedView])
async def get_resolved_config(call: Call) -> Answer:
    """Show the merged config of a service, each variable with the level it came from."""
    place = call.place

    async def load() -> bytes:
        async with call.platform.database.read() as session:
            found = await call.platform.config.resolved(session, place)
        return msgspec.json.encode(
            [
                ResolvedView(
                    one.variable.name,
                    None if one.variable.secret else one.variable.value,
                    one.variable.secret,
                    one.variable.buildtime,
                    one.variable.scope,
                    list(one.overrides),
                )
                for one in found
            ]
        )

    raw = await call.platform.cache.get(("resolved", place.svc.id), ("config_variables",), load)
    return Answer(raw=raw)


for _level in (ORG, PROJECT, ENVIRONMENT, SERVICE):
    _config = _level + "/config"
    routes.endpoint("GET", _config, answer=list[VariableView])(list_config)
    routes.endpoint(
        "POST", _config, answer=VariableView, role="developer", body=NewVariable, also=(201,)
    )(set_config)
    routes.endpoint("POST", _config + "/bulk", answer=BulkAnswer, role="developer", body=Bulk)(
        set_config_bulk
    )
    routes.endpoint(
        "PATCH", _config + "/{config_id}", answer=VariableView, role="developer",
        body=ChangedVariable,
    )(update_config)  # fmt: skip
    routes.endpoint("DELETE", _config + "/{config_id}", status=204, role="developer")(delete_config)
