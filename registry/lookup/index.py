"""`Index`: the module in which a registry announces what the modules of its package register."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from registry.lookup.source_text import file_of, registered


class Index:
    """The place of a registry, and the package whose modules it announces.

    Args:
        path: ``"package.module:variable"``.

    Attributes:
        module: the module, which is the package itself if it is one.
        variable: the name of the registry in it.
    """

    def __init__(self, path: str) -> None:
        self.module, _, self.variable = path.partition(":")

    def owns(self, module: str) -> bool:
        """Whether a module lies in the package of this index."""
        return module == self.module or module.startswith(f"{self._package()}.")

    def lacks(self, module: str, name: str) -> str:
        """The line that is missing, with the file it belongs in."""
        return f'{file_of(self.module)} lacks the line: {self.variable}.lazy("{module}", "{name}")'

    def missing_lines(self, announced: Mapping[str, str]) -> list[str]:
        """Every line that is missing; the package's source is read, not imported.

        Args:
            announced: modules by the names they are announced to register.
        """
        return [
            self.lacks(module, name)
            for module, name in registered(self._package(), self.variable)
            if module != self.module and announced.get(name) != module
        ]

    def _package(self) -> str:
        known = sys.modules.get(self.module)
        return self.module if known is not None and hasattr(known, "__path__") else self.module.rpartition(".")[0]
