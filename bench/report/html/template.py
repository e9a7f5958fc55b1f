"""Rendering of the HTML pages' templates."""

from __future__ import annotations

from typing import Any


def render(template: str, **values: Any) -> str:
    """A page with plotly.js in it, from a file of ``templates/``.

    Args:
        template: name of the file.
        values: what the template names; a name that it uses and does not get is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("bench.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}  # metrics and blocks stay in their order
    return environment.get_template(template).render(**values, plotly=Markup(get_plotlyjs()))
