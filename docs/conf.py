"""How the documentation is built: ``sphinx-build -W -b html docs docs/_build/html``."""

from importlib.metadata import version as installed_version

project = "rlbackends"
author = "The rlbackends developers"
copyright = "The rlbackends developers, Apache-2.0"
release = installed_version("rlbackends")
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters section says it in words
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "rlbackends"
html_theme_options = {"show_prev_next": True, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False
