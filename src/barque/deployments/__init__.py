"""The rollout: from a release to a served service."""
