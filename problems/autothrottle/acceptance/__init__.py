"""How the claims of ``claims.py`` are measured."""
