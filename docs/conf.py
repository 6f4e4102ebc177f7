"""How the documentation is built: ``sphinx-build -W -b html docs docs/_build/html``."""

import sys
from pathlib import Path

import rlbackends

sys.path.insert(0, str(Path(__file__).parent))
from catalogue_pages import write_pages

# Before Sphinx looks for pages: these are made from the catalogue itself.
write_pages(Path(__file__).parent / "generated" / "catalogue")

project = "rlbackends"
author = "The rlbackends developers"
copyright = "The rlbackends developers, Apache-2.0"
release = rlbackends.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_nb",  # Markdown; pages that say so are run while they are built
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build", "generated/catalogue/table.md"]
templates_path = ["_templates"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 1800  # seconds a cell
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters section says it in words
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "rlbackends"
html_theme_options = {
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
}
# The left column lists the pages below a page; these have none, and leave its room to code and tables.
html_sidebars = {
    page: []
    for page in (
        "index", "install", "first-model", "tasks", "simulate", "guide-recovery", "studies-on-a-cluster", "semantics",
        "how-it-works", "choose-a-backend", "testing", "licence", "covariates", "estimates", "comparison",
        "when-sampling-fails", "samplers", "long-runs", "sampler-comparison", "inside-your-model", "thread", "lint",
        "checked-port", "checked-density", "published-record", "export",
    )
}
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sourcelink = False


def setup(app):
    """Show tables of comma-separated values as they are: Pygments has no word for them."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("csv", TextLexer)
