"""An error in a user's model or term is a single line, in whichever command it is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.user_code import error_in_user_code
from tests.bench.command import status_here

HERE = "tests.bench.cli.user_plugins"
SMALL = ["--size", "32", "--batch", "4"]
MODELS = {
    "show": lambda name: ["show", f"{HERE}:{name}", "--size", "32"],
    "audit": lambda name: ["audit", "--model", f"{HERE}:{name}", *SMALL],
    "profile": lambda name: ["profile", "--model", f"{HERE}:{name}", "--precision", "float32", *SMALL],
}
TERMS = {
    "audit": lambda loss: ["audit", "--model", "unet[width=4]", "--loss", loss, *SMALL],
    "profile": lambda loss: ["profile", "--model", "unet[width=4]", "--loss", loss, "--precision", "float32", *SMALL],
    "tax": lambda loss: ["tax", "--loss", loss, *SMALL],
}


def fails(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = status_here(monkeypatch, *words)
    return status, capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("command", MODELS)
@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("ReturnsTensors", "returned an object of type tuple", 2),
        ("TwoChannels", "not a float tensor of", 2),
        ("Raises", "KeyError: 'no such layer' (user_plugins.py, line", 4),
    ],
)
def test_models(command: str, name: str, text: str, status: int, monkeypatch, capsys) -> None:
    code, line = fails(MODELS[command](name), monkeypatch, capsys)
    assert code in (status, 2)
    assert line.startswith("bench: ")
    assert text in line


@pytest.mark.parametrize("command", TERMS)
@pytest.mark.parametrize(
    ("name", "text"), [("per_image", "a term returns a scalar"), ("number", "an object of type float")]
)
def test_terms(command: str, name: str, text: str, monkeypatch, capsys) -> None:
    code, line = fails(TERMS[command](f"mask: bce, depth: {HERE}:{name}"), monkeypatch, capsys)
    assert code == 2
    assert text in line


RUN = ["run", "--model", "unet[width=4]", "--device", "cpu", "--epochs", "1", "--no-baselines", *SMALL]
NO_PLUGINS = [
    (["check", "NUMBER"], "user_plugins:NUMBER is neither a model, a term, a metric nor a source: it is of type int"),
    (["check", "LIST"], "it is of type list; name a class"),
    (["check", "MODULE"], "it is of type module; name a class"),
    (["check", "instance"], "it is of type Net; name a class"),
    (["check", "nothing"], "say which with --kind"),
    (["check", "Unbuilt"], "user_plugins:Unbuilt' cannot be built: MemoryError: too big (user_plugins.py, line"),
    (["check", "NUMBER", "--kind", "source"], "is of type int, not a function that builds a data source"),
    (["check", "LIST", "--kind", "source"], "is of type list, not a function that builds a data source"),
    (["check", "MODULE", "--kind", "source"], "is of type module, not a function that builds a data source"),
    (["data", "inspect", "--data", "Abstract"], "user_plugins:Abstract' cannot be built: TypeError: Can't instantiate"),
    (["data", "inspect", "--data", "nothing"], "builds an object of type NoneType, not a bench.data.source.Source"),
    ([*RUN, "--data", "mapping"], "builds an object of type dict, not a bench.data.source.Source"),
    ([*RUN, "--data", "Net"], "builds an object of type Net, not a bench.data.source.Source"),
    ([*RUN, "--optimizer", "NUMBER"], "not a function that builds an optimizer"),
    ([*RUN, "--optimizer", "nothing"], "user_plugins:nothing' builds an object of type NoneType"),
    ([*RUN, "--optimizer", "makes_nothing"], "makes an object of type NoneType, not a torch.optim.optimizer.Optimizer"),
    ([*RUN, "--schedule", "makes_nothing"], "makes an object of type NoneType, not a registry.schedules.Schedule"),
    ([*RUN, "--augmentation", "nothing"], "builds an object of type NoneType, not a bench.data.augment.operation"),
    ([*RUN, "--track", "nothing"], "builds an object of type NoneType, not a bench.train.events.Listener"),
    ([*RUN, "--camera", "nothing"], "builds an object of type NoneType, not a bench.data.camera.condition.Camera"),
    (["show", "Unbuilt"], "user_plugins:Unbuilt' cannot be built: MemoryError: too big (user_plugins.py, line"),
    (["show", "nothing"], "builds an object of type NoneType, not a torch.nn.Module"),
    (["profile", "--model", "Unbuilt", *SMALL], "user_plugins:Unbuilt' cannot be built: MemoryError: too big"),
    (["audit", "--model", "Unbuilt", *SMALL], "user_plugins:Unbuilt' cannot be built: MemoryError: too big"),
]


@pytest.mark.parametrize(("words", "text"), NO_PLUGINS)
def test_what_is_no_plugin_is_named(words: list[str], text: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names = {
        "NUMBER",
        "LIST",
        "MODULE",
        "instance",
        "nothing",
        "mapping",
        "makes_nothing",
        "Abstract",
        "Unbuilt",
        "Net",
    }
    code, line = fails([f"{HERE}:{word}" if word in names else word for word in words], monkeypatch, capsys)
    assert code == 2
    assert line.startswith("bench: ")
    assert text in line


@pytest.mark.parametrize("command", ["profile", "tax"])
def test_terms_that_raise(command: str, monkeypatch, capsys) -> None:
    code, line = fails(TERMS[command](f"mask: bce, depth: {HERE}:raises"), monkeypatch, capsys)
    assert code in (2, 4)
    assert "KeyError: 'no such target' (user_plugins.py, line" in line


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(MODELS["audit"]("ChangesFolder"), id="audit model"),
        pytest.param(MODELS["profile"]("ChangesFolder"), id="profile model"),
        *(
            pytest.param(TERMS[name](f"mask: bce, depth: {HERE}:changes_folder"), id=f"{name} term")
            for name in ("audit", "tax")
        ),
    ],
)
def test_settings_of_the_process_are_no_plugins_to_alter(words, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = fails(words, monkeypatch, capsys)
    assert code == 2
    assert "the current folder" in line and "(os.chdir): that is the whole process's" in line
    assert Path.cwd() == tmp_path


def test_check_finds_what_alters_settings_of_the_process(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_here(monkeypatch, "check", f"{HERE}:ChangesFolder")
    assert "it alters the current folder" in " ".join(capsys.readouterr().out.split())
    assert Path.cwd() == tmp_path


def test_a_parametrised_layer_is_shown(monkeypatch, capsys) -> None:
    assert status_here(monkeypatch, "show", f"{HERE}:Parametrised", "--size", "32") == 0
    assert "112 parameters" in capsys.readouterr().out


def test_errors_of_this_project_keep_their_traceback() -> None:
    from bench.core.protocol import find_protocol

    try:
        find_protocol(3)  # type: ignore[arg-type]
    except Exception as error:
        assert error_in_user_code(error) is None
    else:
        pytest.fail("not refused")
