"""The page ``/docs``: every operation and every problem in plain HTML, from this machine alone."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from recsys_serving.api.problems import KINDS
from recsys_serving.api.routing import SCOPE_KEY

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f3f3;border-radius:4px}code{padding:.1em .3em}
pre{padding:.8em;overflow-x:auto}summary{cursor:pointer;padding:.3em 0}summary b{display:inline-block;width:4.5em}
table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1em .2em 0}"""


def docs_page(schema: dict[str, Any]) -> str:
    """The page.

    Args:
        schema: the description of the API.
    """
    sections: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            sections.setdefault(told.get("tags", ["other"])[0], []).append(_operation(method, path, told))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sections.items())
    kinds = "".join(
        f'<tr id="{kind.name}"><td>{kind.status}</td><td>{escape(kind.name)}</td><td>{escape(kind.title)}</td></tr>'
        for kind in KINDS.values()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(schema["info"]["title"])}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(schema['info']['title'])}</h1>"
        f"{_paragraphs(schema['info']['description'])}"
        f'<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI {escape(schema["openapi"])}).</p>{body}'
        f"<h2>problems</h2><table><tr><th>status</th><th>type</th><th>title</th></tr>{kinds}</table></body></html>"
    )


def _operation(method: str, path: str, told: dict[str, Any]) -> str:
    scope = told.get(SCOPE_KEY)
    lines = [f"<p>{escape(told.get('description', ''))}</p>"]
    lines.append(f"<p>Scope: <code>{escape(scope)}</code></p>" if scope else "<p>No key is needed.</p>")
    names = [f"<code>{escape(one['name'])}</code> ({escape(one['in'])})" for one in told.get("parameters", ())]
    if names:
        lines.append(f"<p>Parameters: {', '.join(names)}</p>")
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    for example in content.get("examples", {}).values():
        written = json.dumps(example["value"], indent=2, ensure_ascii=False)
        lines.append(f"<p>{escape(example['summary'])}:</p><pre>{escape(written)}</pre>")
    statuses = ", ".join(f"{status} {escape(one['description'])}" for status, one in told["responses"].items())
    lines.append(f"<p>Answers: {statuses}</p>")
    title = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {escape(told['summary'])}"
    return f"<details><summary>{title}</summary>{''.join(lines)}</details>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
