"""Packaging of sklearn-cloud; everything is described in pyproject.toml."""

from setuptools import setup

setup()
