"""How long something took, told by the database: reading two moments of each row takes longer."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class seconds_between(FunctionElement[float]):
    """Seconds from one moment to a later one, to the millisecond at least; null without either."""

    inherit_cache = True
    type = Float()


@compiles(seconds_between, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    begun, ended = (compiler.process(clause, **options) for clause in element.clauses)
    return f"ROUND((julianday({ended}) - julianday({begun})) * 86400, 3)"


@compiles(seconds_between, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    begun, ended = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {ended} - {begun}) AS DOUBLE PRECISION)"
