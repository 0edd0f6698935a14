"""Who uses Barque: users, organizations, members, API keys."""
