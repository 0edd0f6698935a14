"""Barque: a self-hosted platform as a service. A deploy you can trust."""

__version__ = "0.1.0"
