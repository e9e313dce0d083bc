"""The service of this process: one client for all pages and sessions, and what is read of it often."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from app.service.address import ServiceAddress, find_service
from app.service.api import ServiceApi
from app.service.errors import NotThere


@st.cache_resource(show_spinner=False, max_entries=4, on_release=lambda api: api.close())
def _api(address: ServiceAddress) -> ServiceApi:
    return ServiceApi(address)


def service() -> ServiceApi:
    """The client of the service as the environment and ``var`` name it now.

    Raises:
        ServiceAway: nothing says where it is.
    """
    return _api(find_service(os.environ))


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


def item_title(item_id: str) -> str:
    """The title of an item; the id where it has none, or is gone.

    Raises:
        ServiceError: it cannot be read.
    """
    return _title(find_service(os.environ), item_id)


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _catalogue(address: ServiceAddress) -> dict[str, Any]:
    return _api(address).catalogue()


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _users(address: ServiceAddress, limit: int) -> list[str]:
    return _api(address).users(limit=limit)


@st.cache_data(ttl=300, show_spinner=False, max_entries=20_000)
def _title(address: ServiceAddress, item_id: str) -> str:
    try:
        return _api(address).item(item_id).get("title") or item_id
    except NotThere:
        return item_id
