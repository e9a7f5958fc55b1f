"""The command line: one file a command; each parses, calls one library function, and prints."""

from __future__ import annotations

import sys

import typer

from bench.cli import audit, compare, doctor, export, leaderboard, listing, profile, regress, reproduce, run, show, tax
from bench.core.errors import BenchError, Interrupted
from registry.errors import RegistryError

app = typer.Typer(
    name="bench",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Choose an architecture and a loss for dense prediction: train, time, rank and audit them in one common loop.",
    epilog="Begin with: bench run --model unet --loss bce_ssim",
)
app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("audit", epilog=audit.EXAMPLES)(audit.audit)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("profile", epilog=profile.EXAMPLES)(profile.profile)
app.command("leaderboard", epilog=leaderboard.EXAMPLES)(leaderboard.leaderboard)
app.command("list", epilog=listing.EXAMPLES)(listing.listing)
app.command("regress", epilog=regress.EXAMPLES)(regress.regress)
app.command("tax", epilog=tax.EXAMPLES)(tax.tax)
app.command("reproduce", epilog=reproduce.EXAMPLES)(reproduce.reproduce)
app.command("show", epilog=show.EXAMPLES)(show.show)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)


def main() -> None:
    """Run the command line; a mistake that a person can put right ends in one message and its exit status."""
    sys.path.insert(0, "")  # a user's own model or term may lie in the current folder
    try:
        app()
    except BenchError as error:
        _fail(str(error), error.exit_code)
    except Interrupted as error:
        _fail(str(error), error.exit_code)
    except RegistryError as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", 1)


def _fail(message: str, status: int) -> None:
    print(f"bench: {message}", file=sys.stderr)
    raise SystemExit(status)
