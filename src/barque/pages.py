"""Pages of lists (contract: "Ground rules")."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, func
from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


class PageQuery(msgspec.Struct, frozen=True):
    """Which page of a list: `page` counts from 1."""

    page: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Pagination(msgspec.Struct, frozen=True):
    """Where a page stands in its list."""

    page: int
    per_page: int
    total: int
    pages: int


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    pagination: Pagination


async def paged(
    session: AsyncSession, rows: Select[Any], query: PageQuery
) -> tuple[list[Any], Pagination]:
    """Read one page of entities, and count them all."""
    count = rows.order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
    total = await session.scalar(count) or 0
    start = (query.page - 1) * query.per_page
    found = list(await session.scalars(rows.limit(query.per_page).offset(start)))
    return found, counted(query, total)


def counted(query: PageQuery, total: int) -> Pagination:
    """Say where a page stands in a list of so many."""
    return Pagination(query.page, query.per_page, total, -(-total // query.per_page))
