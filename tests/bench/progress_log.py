"""One who is told of progress, and holds it to what a bar needs."""


class Told:
    """A `Progress` that refuses to go back, or beyond the end."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._done = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        assert what
        assert self._done <= done < total
        self.words.append(what)
        self._done = done
