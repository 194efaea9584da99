"""A hook of MkDocs: the site is made of docs/ and of whatever its pages link to elsewhere in the project.

The README is its first page.  Links are written such that they lead somewhere in a clone;
here they are written anew for the site.  Nothing on a page may be fetched from anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?(?=\))")
FETCHED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, and what is linked to outside of docs/."""
    left, known = [ROOT / "README.md", *DOCS.rglob("*.md")], set(DOCS.rglob("*"))
    while left:
        path = left.pop()
        if path not in known:
            known.add(path)
            files.append(File.generated(config, _uri(path), abs_src_path=str(path)))
        if path.suffix == ".md":
            left += [target for target in _targets(path) if target not in known and DOCS not in target.parents]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write links as they are on the site."""
    here = _path(page.file)

    def written(link: re.Match[str]) -> str:
        target = (here.parent / link[1]).resolve()
        return relpath(_uri(target), dirname(page.file.src_uri) or ".") + (link[2] or "")

    return LINK.sub(written, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would have its reader's browser ask somebody else."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {found[0]}")
    return output


def _targets(path: Path) -> Iterator[Path]:
    for link in LINK.finditer(path.read_text("utf-8")):
        target = (path.parent / link[1]).resolve()
        if target.is_file():
            yield target


def _uri(path: Path) -> str:
    """Return where a file of the project is on the site."""
    if path == ROOT / "README.md":
        return "index.md"
    return path.relative_to(DOCS if DOCS in path.parents else ROOT).as_posix()


def _path(file: File) -> Path:
    return Path(file.abs_src_path or ROOT / file.src_uri)
