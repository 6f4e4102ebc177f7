"""``rlbackends port``: from an old script to a checked port. A command's module is imported when it is needed."""

from __future__ import annotations

from textwrap import indent

from cyclopts import App

_EXAMPLES = {
    "lint": "rlbackends port lint old_model.py\nrlbackends port lint notebook.ipynb --draft my_model.py",
    "compare": """rlbackends port compare rescorla_wagner prl.tsv --subject subjID \\
  --trial trial --column reward=outcome --table log_likelihood.csv \\
  --param alpha=0.3 --param beta=2
rlbackends port compare my_models.py:win_stay trials.csv --subject id \\
  --table from_r.csv --params estimates.csv""",
}
_SUMMARIES = {
    "lint": "Say what an old PyMC or Theano program needs to run today.",
    "compare": "Compare the log-likelihoods of an old script with a model's, trial by trial.",
}


def _epilogue(names: tuple[str, ...]) -> str:
    return "Examples:\n" + indent("\n".join(_EXAMPLES[name] for name in names), "  ")


port = App(
    name="port",
    help="From an old script to a checked port.",
    help_epilogue=_epilogue(tuple(_EXAMPLES)),
    help_format="plaintext",
)
for _name in _EXAMPLES:
    port.command(
        f"rlbackends.cli.port_{_name}:{_name}", name=_name, help=_SUMMARIES[_name], help_epilogue=_epilogue((_name,))
    )
