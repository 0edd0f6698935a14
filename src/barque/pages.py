"""Pages of lists (contract: "Ground rules")."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, func, select
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
    found, pagination = await page_of(session, rows, query)
    return [row[0] for row in found], pagination


async def page_of(
    session: AsyncSession, rows: Select[Any], query: PageQuery
) -> tuple[list[Any], Pagination]:
    """Read one page of rows, and count them all."""
    total = await session.scalar(select(func.count()).select_from(rows.order_by(None).subquery()))
    start = (query.page - 1) * query.per_page
    found = await session.execute(rows.limit(query.per_page).offset(start))
    pages = -(-(total or 0) // query.per_page)
    return list(found), Pagination(query.page, query.per_page, total or 0, pages)
