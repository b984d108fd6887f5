# SPDX-License-Identifier: GPL-2.0
"""Cuts an overlay file into the parts that several mails add.

A part is a set of items, each selected by its name or by a regular expression. What nobody selects
comes with the mail that takes the file. A mail's version of a file holds the items that it and the mails
before it brought, in the order of the whole file; the last version is the file itself.

The extent of an item is told by its indentation, which rustfmt makes reliable. Imports that nothing
uses yet, and declarations of modules whose file is not there yet, are left out by themselves.
"""

import re
from pathlib import PurePosixPath

IDENTIFIER = re.compile(r"\w+")
CLOSING = re.compile(r"[)\]}>;,?]+")
MODULE = re.compile(r"(?:pub(?:\([^)]*\))? )?mod (\w+);$")
USE = re.compile(r"(?P<head>(?:pub(?:\([^)]*\))? )?use )")


class CutError(Exception):
    """The plan does not fit the file."""


def indent_of(line):
    return len(line) - len(line.lstrip())


def code_of(line):
    """The line without indentation and comment; empty for a comment line."""
    text = line.strip()
    if text.startswith("//"):
        return ""
    return re.sub(r"\s+//.*$", "", text)


def ends_item(text):
    return text.endswith((";", ",", "}")) or CLOSING.fullmatch(text) is not None


def item_extent(lines, at):
    """The range of lines of the item whose declaration is in line `at`, with its comments."""
    indent = indent_of(lines[at])
    start = at
    while start > 0:
        above = lines[start - 1]
        text = above.strip()
        if indent_of(above) != indent or text.startswith("//!"):
            break
        if text.startswith(("//", "#[")):
            start -= 1
        elif text == ")]":
            start -= 2
            while not lines[start].strip().startswith("#["):
                start -= 1
        else:
            break
    end = at
    while not (indent_of(lines[end]) == indent and ends_item(code_of(lines[end]))):
        following = end + 1
        while following < len(lines) and not lines[following].strip():
            following += 1
        if following == len(lines) or indent_of(lines[following]) < indent:
            break
        end = following
    return range(start, end + 1)


def paragraph_extent(lines, at):
    """The lines around `at` up to blank ones: how files that are not Rust are cut."""
    start = end = at
    while start > 0 and lines[start - 1].strip():
        start -= 1
    while end + 1 < len(lines) and lines[end + 1].strip():
        end += 1
    return range(start, end + 1)


def item_pattern(item):
    if not IDENTIFIER.fullmatch(item):
        return re.compile(item)
    # The declaration of something with this name, an entry of a table of callbacks, or an impl.
    return re.compile(
        rf"\b(?:fn|struct|enum|trait|type|const|static|mod|union|macro_rules!) {item}(?:_callback)?\b"
        rf"|^(?:pub(?:\([^)]*\))? )?{item}: "
        rf"|^(?:unsafe )?impl\b(?:.* for)?(?:<.*?>)? {item}\b"
    )


def select(path, lines, item):
    """The lines of all items of a file that `item` names."""
    pattern = item_pattern(item)
    taken = set()
    for at, line in enumerate(lines):
        text = line.strip()
        if item.startswith("//"):
            if pattern.search(text):
                taken.add(at)
        elif not path.endswith(".rs"):
            if pattern.search(text):
                taken.update(paragraph_extent(lines, at))
        elif at not in taken and not text.startswith("//") and pattern.search(text):
            taken.update(item_extent(lines, at))
    if not taken:
        raise CutError(f"{path}: the plan selects '{item}', but nothing there is like it")
    return taken


def module_files(path, name):
    """Where the file of the module `name`, declared in `path`, may be."""
    path = PurePosixPath(path)
    for folder in (path.parent / path.stem, path.parent):
        yield str(folder / f"{name}.rs")
        yield str(folder / name / "mod.rs")


class Overlay:
    """All overlay files, and which mail brings which of their lines."""

    def __init__(self, texts):
        self.texts = texts
        self.lines = {path: text.split("\n") for path, text in texts.items()}
        self.rest = {}
        self.parts = {}
        self.owners = {}

    def take(self, mail, path, items=None):
        """Lets a mail (a number) bring a file, or some items of it."""
        if path not in self.texts:
            raise CutError(f"the plan names {path}, which is not there")
        if items is None:
            if path in self.rest:
                raise CutError(f"{path} is taken by two mails")
            self.rest[path] = mail
        else:
            self.parts.setdefault(path, []).append((mail, items))

    def close(self):
        """Checks that everything has been taken, and by whom each line is brought."""
        missing = sorted(set(self.texts) - set(self.rest))
        if missing:
            raise CutError("no mail of the plan takes these files: " + " ".join(missing))
        for path, lines in self.lines.items():
            first = self.rest[path]
            owners = [first] * len(lines)
            for mail, items in self.parts.get(path, []):
                if mail < first:
                    raise CutError(f"{path}: a part comes before the mail that takes the file")
                for at in (at for item in items for at in select(path, lines, item)):
                    owners[at] = max(owners[at], mail)
            self.owners[path] = owners
        for path in self.lines:
            if path.endswith(".rs"):
                self.follow_modules(path)

    def follow_modules(self, path):
        """A module is declared when its file is there."""
        lines, owners = self.lines[path], self.owners[path]
        for at, line in enumerate(lines):
            found = MODULE.search(code_of(line))
            files = list(module_files(path, found[1])) if found else []
            for file in (file for file in files if file in self.rest):
                for place in item_extent(lines, at):
                    owners[place] = max(owners[place], self.rest[file])

    def version(self, path, mail):
        """The text of a file when the mails up to `mail` have been applied, or None."""
        if mail < self.rest[path]:
            return None
        owners = self.owners[path]
        if max(owners) <= mail:
            return self.texts[path]
        lines = [line for line, owner in zip(self.lines[path], owners) if owner <= mail]
        if path.endswith(".rs"):
            lines = tidy(lines)
            lines = tidy(self.prune_imports(path, mail, lines))
        else:
            lines = tidy(lines, brackets=False)
        return "\n".join(lines)

    def prune_imports(self, path, mail, lines):
        """Leaves out what is imported and not used, or exported and not there."""
        statements = list(imports(lines))
        used = set(IDENTIFIER.findall("\n".join(code_outside_imports(lines))))
        # A trait may be there for its methods alone: what the whole file never names is kept.
        named = set(IDENTIFIER.findall("\n".join(code_outside_imports(self.lines[path]))))

        def arrived(module=""):
            top = path.split("/")[0]
            files = [f for f in self.lines if f.startswith(top) and f.endswith(f"/{module}.rs")]
            return not files or any(self.version(file, mail) is not None for file in files)

        def keep(names):
            name = names[-1] if names[-1] != "self" else names[-2]
            name = name.split(" as ")[-1]
            return name in used or (name not in named and arrived(*names[-2:-1]))

        def keep_export(names):
            if names[0] != "self":
                return True
            for file in module_files(path, names[1]):
                if file in self.rest:
                    text = self.version(file, mail) or ""
                    return names[-1] == "*" or re.search(rf"\b{names[-1]}\b", text) is not None
            return True

        result = list(lines)
        whole = [parse_import(self.lines[path], found)[1] for found in imports(self.lines[path])]
        for statement in reversed(statements):
            first = lines[statement.start]
            head, tree = parse_import(lines, statement)
            kept = prune_use(tree, keep if head == "use " else keep_export, [])
            if kept == tree and tree in whole:
                continue
            start = statement.start
            if kept is None:
                start = item_extent(lines, start).start
                result[start : statement.stop] = []
            else:
                indent = " " * indent_of(first)
                text = head + render_use(kept, indent) + ";"
                result[start : statement.stop] = (indent + text).split("\n")
        return result


def imports(lines):
    """The ranges of lines that are `use` declarations, without what is above them."""
    at = 0
    while at < len(lines):
        if USE.match(code_of(lines[at])):
            extent = range(at, item_extent(lines, at).stop)
            yield extent
            at = extent.stop
        else:
            at += 1


def code_outside_imports(lines):
    inside = {at for extent in imports(lines) for at in extent}
    return [code_of(line) for at, line in enumerate(lines) if at not in inside]


def parse_import(lines, statement):
    """What is before the use tree of a declaration (`pub use `), and the tree."""
    text = " ".join(code_of(lines[at]) for at in statement)
    head = USE.match(text)["head"]
    return head, parse_use(text[len(head) :].rstrip(";"))


def parse_use(text):
    """A use tree: a pair of a path and its branches, which are None at the end of a path."""
    text = text.strip()
    if "{" not in text:
        return (text, None)
    path, _, rest = text.partition("{")
    rest = rest.rstrip()[:-1]
    branches, depth, start = [], 0, 0
    for at, char in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            branches.append(rest[start:at])
            start = at + 1
    branches.append(rest[start:])
    return (path.strip(), tuple(parse_use(branch) for branch in branches if branch.strip()))


def prune_use(tree, keep, before):
    path, branches = tree
    names = before + [name for name in path.split("::") if name]
    if branches is None:
        return tree if keep(names) else None
    kept = tuple(filter(None, (prune_use(branch, keep, names) for branch in branches)))
    if not kept:
        return None
    if len(kept) == 1 and kept != branches:
        branch, below = kept[0]
        if branch == "self":
            return (path[: -len("::")], None)
        return (path + branch, below)
    return (path, kept)


def render_use(tree, indent):
    path, branches = tree
    if branches is None:
        return path
    lines = [path + "{"]
    for branch in branches:
        last = branch is branches[-1]
        mark = ", //" if last and branch[1] is None else ","
        lines.append(indent + "    " + render_use(branch, indent + "    ") + mark)
    lines.append(indent + "}")
    return "\n".join(lines)


def tidy(lines, brackets=True):
    """Leaves out blank lines that separate nothing, as those at the brackets of code."""
    result = []
    for line in lines:
        if not line.strip():
            if not result or not result[-1].strip():
                continue
            if brackets and result[-1].endswith(("{", "(", "[")):
                continue
        elif brackets and CLOSING.fullmatch(line.strip()) and result and not result[-1].strip():
            result.pop()
        result.append(line)
    while len(result) > 1 and not result[-1] and not result[-2]:
        result.pop()
    return result
