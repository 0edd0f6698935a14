"""What is written down line by line: builds, deployments, containers."""
