"""Engines, one file each; `registry` loads them lazily."""
