"""The service of this process: one client for all pages and sessions, and what is read of it often."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from app.service.address import ServiceAddress, find_service
from app.service.api import ServiceApi
from app.service.bundles import BundleApi
from app.service.experiments import ExperimentApi


@st.cache_resource(show_spinner=False, max_entries=4, on_release=lambda api: api.close())
def _api(address: ServiceAddress) -> ServiceApi:
    return ServiceApi(address)


def service() -> ServiceApi:
    """The client of the service as the environment and ``var`` name it now.

    Raises:
        ServiceAway: nothing says where it is.
    """
    return _api(find_service(os.environ))


def bundles() -> BundleApi:
    """How the service is asked about its bundles; errors as for :func:`service`."""
    return BundleApi(service())


def experiments() -> ExperimentApi:
    """How the service is asked about its experiments; errors as for :func:`service`."""
    return ExperimentApi(service())


def evaluation(name: str) -> dict[str, Any]:
    """What a bundle was measured at, at most a minute old.

    Raises:
        ServiceError: it cannot be read.
    """
    return _evaluation(find_service(os.environ), name)


def item_map(name: str, limit: int) -> dict[str, Any]:
    """The items of a bundle on a plane, at most a minute old.

    Raises:
        ServiceError: it cannot be read.
    """
    return _item_map(find_service(os.environ), name, limit)


def catalogue() -> dict[str, Any]:
    """Columns of the items, at most ten seconds old.

    Raises:
        ServiceError: it cannot be read.
    """
    return _catalogue(find_service(os.environ))


def first_users(limit: int) -> list[str]:
    """Ids of users, at most ten seconds old.

    Raises:
        ServiceError: they cannot be read.
    """
    return _users(find_service(os.environ), limit)


@st.cache_data(ttl=60, show_spinner=False, max_entries=64)
def _evaluation(address: ServiceAddress, name: str) -> dict[str, Any]:
    return BundleApi(_api(address)).evaluation(name)


@st.cache_data(ttl=60, show_spinner="Computing the map ...", max_entries=16)
def _item_map(address: ServiceAddress, name: str, limit: int) -> dict[str, Any]:
    return BundleApi(_api(address)).item_map(name, limit)


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _catalogue(address: ServiceAddress) -> dict[str, Any]:
    return _api(address).catalogue()


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _users(address: ServiceAddress, limit: int) -> list[str]:
    return _api(address).users(limit=limit)
