"""`barque serve`, which kills itself at one step of a deployment: `DIE_AT=switching:before`.

Whoever runs it is dead at the very instruction before a step is written down, or after it.
"""

import os
import signal

from barque.cli.main import main
from barque.deployments.journal import Journal

STEP, _, WHEN = os.environ["DIE_AT"].partition(":")
enter_alive = Journal.enter


async def enter(self: Journal, deployment_id: str, status: str, message: str) -> bool:
    if (status, WHEN) == (STEP, "before"):
        os.kill(os.getpid(), signal.SIGKILL)
    done = await enter_alive(self, deployment_id, status, message)
    if (status, WHEN) == (STEP, "after"):
        os.kill(os.getpid(), signal.SIGKILL)
    return done


if __name__ == "__main__":
    Journal.enter = enter  # type: ignore[method-assign]
    main()
