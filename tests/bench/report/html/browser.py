"""A headless chromium driven over its DevTools protocol, through two pipes: pages, keys, PDF."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    " ": 32,
    "ArrowDown": 40,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "End": 35,
    "Home": 36,
}
_TEXT = {"Enter": "\r", " ": " "}
_SHIFT = 8


class Browser:
    """A browser with a page. Use as a context manager.

    Attributes:
        messages: what the page wrote to the console, and its uncaught errors.
    """

    def __init__(self, width: int = 1200, height: int = 900) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            pytest.skip("no chromium: apt-get install chromium")
        self.messages: list[str] = []
        self._requests: list[str] = []
        self._count = 0
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "about:blank"]
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def connect() -> None:  # chromium reads from 3 and writes to 4
            for number, place in ((to_read, 103), (to_write, 104)):
                os.dup2(number, place)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self._process = subprocess.Popen(
            command,
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._unread = b""
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    @property
    def requests(self) -> list[str]:
        """Addresses that the page requested over a network."""
        return [url for url in self._requests if not url.startswith(("file:", "data:", "blob:", "about:"))]

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a method of the protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            self._note(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, path: Path) -> None:
        """Load a file, and wait until its scripts have run."""
        self.call("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, condition: str, seconds: float = 120) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.02)

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key and let it go."""
        code = KEYS.get(key, ord(key[0].upper()))
        text = _TEXT.get(key, key if len(key) == 1 else "")
        facts = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": _SHIFT if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    def press_until(self, key: str, condition: str, seconds: float = 120) -> None:
        """Press a key, again every second, until an expression is true: a scrolling that a new layout stops is lost."""
        end = time.monotonic() + seconds
        while True:
            self.press(key)
            again = time.monotonic() + 1
            while time.monotonic() < again:
                if self.run(condition):
                    return
                time.sleep(0.02)
            assert time.monotonic() < end, f"never true: {condition}"

    def resize(self, width: int, height: int) -> None:
        """The window, pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, scheme: str = "light", medium: str = "") -> None:
        """Prefer a light or a dark scheme, and show the page as on a medium (``print``)."""
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=wanted)

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            part = os.read(self._from, 2**20)
            assert part, "the browser has ended"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        facts = event.get("params", {})
        if event.get("method") == "Runtime.consoleAPICalled":
            self.messages.append(" ".join(str(part.get("value")) for part in facts["args"]))
        elif event.get("method") == "Runtime.exceptionThrown":
            self.messages.append(str(facts["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded":
            self.messages.append(facts["entry"]["text"])
        elif event.get("method") == "Network.requestWillBeSent":
            self._requests.append(facts["request"]["url"])
