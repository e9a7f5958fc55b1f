"""The command line: a file per command; each parses, calls a library function, and prints."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from bench.cli.check import audit, check, data, doctor, listing, show
from bench.cli.develop import regress
from bench.cli.encoding import degrade_output
from bench.cli.options.expand import expand, plain
from bench.cli.options.once import OnceCommand
from bench.cli.read import choose, compare, explain, export, leaderboard, report, slices
from bench.cli.train import profile, reproduce, run, runs, sweep, tax
from bench.cli.usage import UsageError, usage_message
from bench.cli.use import evaluate, predict, robust
from bench.cli.warning_lines import print_as_lines
from bench.core.errors import BenchError, Interrupted, is_full
from bench.core.openmp import share_cores
from bench.core.user_code import error_in_user_code
from bench.core.visible import visible
from registry.errors import RegistryError

TRAIN, READ, USE = "Train and measure", "Read results", "Use what was trained"
CHECK, DEVELOP = "Check and look up", "Develop this project"
"""Panels of ``bench --help``."""

app = typer.Typer(
    name="bench",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Choose an architecture and a loss for dense prediction: train, time, rank and audit them in a common loop.",
    epilog="Begin with: bench run --model unet --loss bce_ssim",
)


def _command(
    panel: str, name: str, function: Callable[..., None], examples: str, group: typer.Typer | None = None
) -> None:
    """Add a command to the program or a group; its help is its docstring, and the examples are lines to copy."""
    paragraphs = (function.__doc__ or "").strip().split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    epilog = "\n  ".join(["Examples:", *examples.strip().splitlines()])
    add = (group or app).command(name, cls=OnceCommand, help=plain(text), epilog=plain(epilog), rich_help_panel=panel)
    add(expand(function))


_command(TRAIN, "run", run.run, run.EXAMPLES)
_command(TRAIN, "sweep", sweep.sweep, sweep.EXAMPLES)
_command(TRAIN, "profile", profile.profile, profile.EXAMPLES)
_command(TRAIN, "tax", tax.tax, tax.EXAMPLES)
_command(TRAIN, "reproduce", reproduce.reproduce, reproduce.EXAMPLES)
_command(TRAIN, "runs", runs.runs, runs.EXAMPLES)
_command(READ, "leaderboard", leaderboard.leaderboard, leaderboard.EXAMPLES)
_command(READ, "report", report.report, report.EXAMPLES)
_command(READ, "compare", compare.compare, compare.EXAMPLES)
_command(READ, "explain", explain.explain, explain.EXAMPLES)
_command(READ, "choose", choose.choose, choose.EXAMPLES)
_command(READ, "slices", slices.slices, slices.EXAMPLES)
_command(READ, "export", export.export, export.EXAMPLES)
_command(USE, "predict", predict.predict, predict.EXAMPLES)
_command(USE, "evaluate", evaluate.evaluate, evaluate.EXAMPLES)
_command(USE, "robust", robust.robust, robust.EXAMPLES)
_command(CHECK, "audit", audit.audit, audit.EXAMPLES)
_command(CHECK, "check", check.check, check.EXAMPLES)
_command(CHECK, "list", listing.listing, listing.EXAMPLES)
_command(CHECK, "show", show.show, show.EXAMPLES)
_command(CHECK, "doctor", doctor.doctor, doctor.EXAMPLES)
data_commands = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Inspect data, pack it, export it.")
app.add_typer(data_commands, name="data", rich_help_panel=CHECK)
_command(CHECK, "inspect", data.inspect, data.INSPECT_EXAMPLES, data_commands)
_command(CHECK, "pack", data.pack, data.PACK_EXAMPLES, data_commands)
_command(CHECK, "export", data.export, data.EXPORT_EXAMPLES, data_commands)
_command(DEVELOP, "regress", regress.regress, regress.EXAMPLES)


def main() -> None:
    """Run the command line; a user's mistake ends in a message and an exit status, without a traceback."""
    share_cores()  # with other programs, and with threads of this one; what follows may import torch
    degrade_output()
    print_as_lines()
    sys.path.insert(0, "")  # a user's own model or term may be in the current folder
    try:
        status = app(standalone_mode=False)
        if status == 130:  # what typer makes of Ctrl-C where a command does not take signals
            raise KeyboardInterrupt
        raise SystemExit(status)
    except UsageError as error:
        _fail(usage_message(error, sys.argv[1:]), 2)
    except (typer.Abort, KeyboardInterrupt):  # Ctrl-C before a command takes signals, or in one that never does
        _fail("stopped", 130)
    except BenchError as error:
        _fail(str(error), error.exit_code)
    except Interrupted as error:
        _fail(str(error), error.exit_code)
    except RegistryError as error:
        _fail(str(error), 2)
    except OSError as error:
        advice = "; free some space and run again" if is_full(error) else ""
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}{advice}", 1)
    except Exception as error:
        message = error_in_user_code(error)
        if message is None:
            raise
        _fail(message, 4)


def _fail(message: str, status: int) -> None:
    if message:
        print(f"bench: {visible(message)}", file=sys.stderr)
    raise SystemExit(status)
