"""The program ``rlbackends``: its commands, and what it says when something is wrong."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import indent
from typing import TYPE_CHECKING, Any

from rlbackends.errors import RLBackendsError

if TYPE_CHECKING:
    from cyclopts import App

_HELP = """Reinforcement-learning models of behaviour, written once and fitted on NumPyro or on PyMC.

Start with: rlbackends demo"""

_FAILED, _STOPPED = 2, 130

# What each command does, for the list of them: a command's own module is not imported to show it.
_SUMMARIES = {
    "demo": "Simulate people, fit them on each backend, and compare: a few minutes.",
    "models": "List the ready models.",
    "show": "Print a model's equations, the columns it needs and its default priors.",
    "check": "Compare the backends on a model and your data.",
    "fit": "Sample a model's posterior, given your data.",
    "estimate": "Estimate each subject's parameters: maximum likelihood, MAP, or EM.",
    "compare": "Ask which of several fitted models predicts better.",
    "tasks": "List the ready tasks, or tell about one.",
    "simulate": "Write the trials of simulated subjects: a model plays a task.",
    "recover": "Simulate and fit again and again: do true parameters come back?",
    "compare-samplers": "Fit with several samplers: how fast, do they agree, which to take.",
    "export": "Write a model as a program in PyMC, NumPyro, Stan or NumPy, as LaTeX or as JSON.",
    "port": "Bring an old script over: what it needs today, and whether a model is the same.",
    "doctor": "Say what is installed, and what computes how.",
}

# Command → examples, shown below its help. The functions are named alike, in modules named alike.
_COMMANDS = {
    "demo": "rlbackends demo\nrlbackends demo --backends pymc --subjects 20 --trials 100",
    "models": "rlbackends models\nrlbackends models --json",
    "show": """rlbackends show rescorla_wagner -o n_actions=5
rlbackends show my_models.py:win_stay --latex
rlbackends show aliens --json > aliens.json""",
    "check": """rlbackends check rescorla_wagner prl.tsv --subject subjID --trial trial \\
  --column reward=outcome --param alpha=0.3 --param beta=2
rlbackends check my_models.py:win_stay \\
  --wide choice=actions.csv --wide reward=rewards.csv""",
    "fit": """rlbackends fit rescorla_wagner prl.tsv --backend pymc --subject subjID \\
  --trial trial --column reward=outcome --output fit.nc
rlbackends fit perseveration igt.txt --backend numpyro --subject subjID \\
  -o n_actions=4 --derive "reward=(gain - abs(loss)) / 100\"""",
    "estimate": """rlbackends estimate rescorla_wagner prl.tsv --subject subjID --trial trial \\
  --column reward=outcome --method em --table estimates.csv
rlbackends estimate my_models.py:win_stay trials.csv --method ml --fix lapse=0.02""",
    "compare": """rlbackends compare rescorla_wagner-numpyro.nc perseveration-numpyro.nc
rlbackends compare one.nc two.nc three.nc --by subject --csv comparison.csv \\
  --plot comparison.png""",
    "tasks": """rlbackends tasks
rlbackends tasks bandit
rlbackends tasks reversal --json""",
    "simulate": """rlbackends simulate rescorla_wagner bandit -o n_actions=3 \\
  -t probabilities=0.2,0.5,0.8 --param "alpha=beta(2,5)" --param beta=3 \\
  --subjects 30 --seed 1 --output trials.csv --truth truth.csv
rlbackends simulate my_models.py:win_stay my_models.py:my_task \\
  --params truth.csv > trials.csv""",
    "recover": """rlbackends recover rescorla_wagner bandit --backend numpyro \\
  --truth "alpha=beta(2,5)" --truth "beta=gamma(3,1)" \\
  --repeats 20 --subjects 30 --folder recovery --workers 4 \\
  --figure recovery.png --table recovery.csv""",
    "compare-samplers": """rlbackends compare-samplers rescorla_wagner prl.tsv --subject subjID \\
  --trial trial --column reward=outcome --folder samplers --figure samplers.png
rlbackends compare-samplers my_models.py:win_stay trials.csv \\
  --sampler numpyro:nuts:vectorized --sampler pymc:nutpie:jax --draws 500""",
    "export": """rlbackends export rescorla_wagner --to stan
rlbackends export rescorla_wagner prl.tsv --to pymc --subject subjID --trial trial \\
  --column reward=outcome --output supplement.py""",
    "doctor": "rlbackends doctor\nrlbackends doctor --json",
}


def make_app() -> App:
    """Return the program; a command's module is imported when it is needed."""
    from cyclopts import App, Parameter

    import rlbackends

    app = App(
        name="rlbackends",
        help=_HELP,
        version=rlbackends.__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # main says that it stopped
        # `--column` is never negated, and an empty default explains nothing.
        default_parameter=Parameter(
            negative="", show_default=lambda value: None if value in ((), "", False) else value
        ),
    )
    for name, examples in _COMMANDS.items():
        epilogue = "Examples:\n" + indent(examples, "  ")
        place = name.replace("-", "_")
        app.command(f"rlbackends.cli.{place}:{place}", name=name, help=_SUMMARIES[name], help_epilogue=epilogue)
    app.command("rlbackends.cli.port:port", name="port", help=_SUMMARIES["port"])  # it has commands of its own
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; default: those of this process.

    Returns
    -------
    int
        0: done. 1: the answer is no (``check``: the backends disagree; ``recover`` and ``compare-samplers``: some fits
        failed, or samplers disagree). 2: it could not be done, and standard error says why. 130: stopped by Ctrl-C.
    """
    from cyclopts import CycloptsError

    _replace_what_the_terminal_lacks()
    try:
        with _plain_warnings():
            status = make_app()(
                list(sys.argv[1:] if arguments is None else arguments),
                exit_on_error=False,
                result_action="return_value",
            )
            sys.stdout.flush()
    except CycloptsError:
        return _FAILED  # it has printed what is wrong
    except RLBackendsError as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped.", file=sys.stderr)  # a study says how far it is
        return _STOPPED
    except BrokenPipeError:
        # The reader, such as `head`, has gone: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return status or 0


def _replace_what_the_terminal_lacks() -> None:
    """Let a terminal that has no β print a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as one line, without the place in our code that raised them."""

    def show(message: Any, *_: Any) -> None:
        print(f"warning: {message}", file=sys.stderr, flush=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)
        warnings.showwarning = show
        yield
