"""What the commands do, from Python: check plug-ins, run an experiment, compare two cells, export the records.

python from_python.py
"""

from pathlib import Path

from rich.console import Console

from bench.audit.conformance import check_plugin
from bench.core.finding import broken
from bench.core.protocol import find_protocol
from bench.data.sources import open_source
from bench.report.pages import pages, refresh
from bench.report.terminal.results.comparison_table import comparison_table
from bench.results import load
from bench.results.compare import compare
from bench.run.experiment import Experiment
from bench.train.events import Listener

HERE = Path("from_python")


def main() -> None:
    """A minute on a CPU; everything is written below `HERE`."""
    for plugin in ("my_model:small_net", "my_term:charbonnier", "my_metric:precision_at_half", "my_source:Discs"):
        findings = check_plugin(plugin)
        print(plugin, "is broken" if broken(findings) else f"passes {len(findings)} checks")

    small = find_protocol("quick").override(
        epochs=2, size=32, batch=8, train_samples=64, val_samples=32, test_samples=32
    )
    experiment = Experiment(
        models=["my_model:small_net[width=8]", "unet[width=8]"],
        loss="mask: bce, depth: my_term:charbonnier",
        protocol=small,
        seeds=[0, 1],
        source=open_source("my_source:Discs"),
        metrics=["my_metric:precision_at_half"],
        precision="float32",
        results=HERE / "results",
        runs=HERE / "runs",
    )
    for record, path, _ in experiment.run(Listener(), announce=print):
        print(record.spec.model, record.outcome, path.name)
    refresh(pages(HERE / "results", HERE / "leaderboard.md", readme=False))

    comparison = compare(HERE / "results", "my_model:small_net[width=8]", "unet[width=8]")
    Console(width=130).print(comparison_table(comparison))
    table = load(HERE / "results")
    table.to_csv(HERE / "runs.csv", index=False)
    print(f"{len(table)} records in {HERE / 'runs.csv'}")


if __name__ == "__main__":
    main()
