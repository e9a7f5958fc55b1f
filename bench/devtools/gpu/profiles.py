"""Profiles of a step and of a pass of evaluation."""

from __future__ import annotations

from bench.data.loading.loader import Loader
from bench.devtools.gpu.steps import RECIPE, run_of, runner, source
from bench.devtools.gpu.worker import Setting
from bench.profile.profile import profile
from bench.profile.training import StepRunner
from bench.timing.ledger import Ledger
from bench.train.evaluate import evaluate

_RESTARTS = 2


def profiles(setting: Setting) -> None:
    """Closure, perturbation and blocks of eager steps, and of a graph."""
    batch = setting.scale.batches[1]
    plan = [(model, "eager") for model in reversed(setting.scale.models[1:])]
    if setting.cuda:
        plan.append((setting.scale.models[1], "graphed"))
    for model, engine in plan:
        with runner(setting, model, batch, engine=engine) as step:  # type: ignore[arg-type]
            found, _ = profile(step, setting.scale.profile_seconds, restarts=_RESTARTS)
        setting.journal.line(
            "profiles",
            model=model,
            engine=engine,
            batch=batch,
            step_ms=found.step_ms.model_dump(),
            closure=found.closure,
            perturbation=found.perturbation.model_dump(),
            host_bound=found.host_bound,
            caveats=list(found.caveats),
            peak_mib=found.peak_mib,
            departure=found.departure,
            rounding_spread=found.rounding_spread,
            ceiling=found.ceiling.model_dump(),
            blocks={block.name: [block.median_ms.value, block.time.share] for block in found.blocks},
            validation={name: time.median_ms for name, time in found.validation.items()},
            discarded=found.discarded.sentence(),
        )


def evaluation(setting: Setting) -> None:
    """Images a second of a pass, and its blocks; twice, as the first pass chooses kernels."""
    data, scale = source(setting), setting.scale
    batch = scale.batches[1]
    run = run_of(setting, scale.models[1], batch, scale.size, data, None)
    step = StepRunner(run, data, setting.device, batches=2, resident=True)
    loader = Loader(data, "val", scale.evaluated + batch // 2, scale.size, batch, 2**40)  # the last batch is not full
    ledger = Ledger(setting.device, seconds=1e9)
    for turn in range(3):
        evaluate(step.model, loader, step.objective, step.autocast, ledger, ("mask", "depth"))
        window = ledger.windows[-1]
        setting.journal.line(
            "evaluation",
            turn=turn,
            model=step.spec.model,
            recipe=RECIPE,
            batch=batch,
            images=window.images,
            seconds=window.seconds,
            images_a_second=window.images / window.seconds,
            blocks={name: sum(row) for name, row in (window.blocks or {}).items()},
        )
