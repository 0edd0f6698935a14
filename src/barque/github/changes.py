"""Which files a push changes, as far as GitHub tells.

A wrong yes costs a build, a wrong no leaves what was pushed out: wherever GitHub may not have told
of every file, nobody can tell.
"""

from barque.github.schemas import Push

# GitHub leaves out what goes beyond: commits of a push (20 on older servers), files of a commit.
_COMMITS = (20, 2048)
_FILES = 300


def changed(push: Push) -> set[str] | None:
    """Return the files that a push changes, or None when nobody can tell."""
    commits = push.commits
    if not commits or push.created or push.forced or commits[-1].id != push.after:
        return None
    if len(commits) in _COMMITS or len(commits) > max(_COMMITS):
        return None
    found: set[str] = set()
    for commit in commits:
        files = {*commit.added, *commit.modified, *commit.removed}
        if len(files) >= _FILES:
            return None
        found |= files
    return found
