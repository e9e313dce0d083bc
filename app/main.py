"""The user interface of the service: ``make app``, or ``python -m streamlit run app/main.py``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st


def main() -> None:
    """Show the page that the address names."""
    # Icons of pages would be fetched from the network, for the browser's tab.
    st.set_page_config(page_title="recsys", page_icon=Path(__file__).with_name("icon.svg"), layout="wide")
    for_you = st.Page("views/for_you.py", title="For you", default=True)

    def open_for_you() -> None:
        st.switch_page(for_you, query_params=st.query_params.to_dict())

    pages = [
        for_you,
        # Streamlit serves the first page at / alone; whoever types its name is led there.
        st.Page(open_for_you, title="For you", url_path="for-you", visibility="hidden"),
        st.Page("views/item.py", title="Item", url_path="item"),
        st.Page("views/compare.py", title="Compare", url_path="compare"),
        st.Page("views/models.py", title="Models", url_path="models"),
        st.Page("views/experiments.py", title="Experiments", url_path="experiments"),
        st.Page("views/system.py", title="System", url_path="system"),
    ]
    st.navigation(pages, position="top").run()


main()
