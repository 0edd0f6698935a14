"""What opens private repositories: a token or a deploy key of an organization, or a GitHub App."""
