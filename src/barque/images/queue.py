"""Whose build is next: fair between organizations, in order within each.

The organization of which the fewest builds run goes first; among those, the one that was served
longest ago, or not yet; and of an organization, the build that was asked for first. So however
many builds one organization asks for, another's first waits for no more than one of each.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A build that waits: ids sort by age. One that had `begun` was cut off, and goes first."""

    id: str
    org_id: str
    begun: bool = False


def in_order(
    waiting: Iterable[Waiting], running: Mapping[str, int], served: Mapping[str, int]
) -> list[Waiting]:
    """Order builds by when their turn comes, if none ends meanwhile.

    `running` counts the builds of each organization that run, and `served` says when each had its
    last turn, as a number that grows.
    """
    by_age = sorted(waiting, key=lambda one: (not one.begun, one.id))
    found = [one for one in by_age if one.begun]
    runs, turns = dict(running), dict(served)
    latest = max(served.values(), default=0)
    for one in found:
        runs[one.org_id] = runs.get(one.org_id, 0) + 1
        turns[one.org_id] = latest = latest + 1
    queues: dict[str, list[Waiting]] = {}
    for one in reversed(by_age[len(found) :]):
        queues.setdefault(one.org_id, []).append(one)
    heads = [(runs.get(org, 0), turns.get(org, 0), own[-1].id, org) for org, own in queues.items()]
    heapq.heapify(heads)
    while heads:
        count, _, _, org = heads[0]
        found.append(queues[org].pop())
        latest += 1
        if queues[org]:
            heapq.heapreplace(heads, (count + 1, latest, queues[org][-1].id, org))
        else:
            heapq.heappop(heads)
    return found
