"""The version of the runtime; pyproject.toml and model files read it here."""

__version__ = "0.2.0"
