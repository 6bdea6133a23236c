"""Named queries from a .sql file: blocks of `-- name --`, comments and SQL."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

_HEADING = re.compile(r"^--\s+([a-z_][a-z0-9_]*)\s+--\s*$", re.MULTILINE)


class Queries(Mapping[str, str]):
    """SQL text by name, as attribute or key; iterate for the names."""

    def __init__(self, texts: Mapping[str, str], source: str) -> None:
        """Take the texts and the file they came from, for error messages."""
        self._texts = dict(texts)
        self._source = source

    def __getattr__(self, name: str) -> str:
        """Return the query of this name; a name the file lacks is an AttributeError."""
        if name.startswith("_") or name not in self._texts:
            raise AttributeError(f"no query named {name} in {self._source}")
        return self._texts[name]

    def __getitem__(self, name: str) -> str:
        """Return the query of this name."""
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in file order."""
        return iter(self._texts)

    def __len__(self) -> int:
        """Count the queries."""
        return len(self._texts)


def load(package: str, *files: str) -> Queries:
    """Read the package's .sql files; a name twice or a block without SQL is an error."""
    names = files or ("queries.sql",)
    root = resources.files(package)
    texts: dict[str, str] = {}
    for name in names:
        for query, text in parse(root.joinpath(name).read_text("utf-8"), source=name).items():
            if query in texts:
                raise ValueError(f"query {query} stands twice, again in {name}")
            texts[query] = text
    return Queries(texts, source=f"{package}: {', '.join(names)}")


def parse(text: str, *, source: str) -> Queries:
    """Split one file's text at its headings."""
    lead, *blocks = _HEADING.split(text)
    if _sql(lead):
        raise ValueError(f"{source} begins with SQL that has no name")
    texts: dict[str, str] = {}
    for name, body in zip(blocks[::2], blocks[1::2], strict=True):
        if name in texts:
            raise ValueError(f"query {name} stands twice in {source}")
        if not _sql(body):
            raise ValueError(f"query {name} in {source} is empty")
        texts[name] = body.strip()
    return Queries(texts, source)


def _sql(body: str) -> str:
    lines = (line for line in body.splitlines() if not line.lstrip().startswith("--"))
    return "".join(lines).strip()
