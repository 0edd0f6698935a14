"""The router in front of every service: the port, and HAProxy behind it."""
