# SPDX-License-Identifier: GPL-2.0
"""Makes the commits of the series as patches/series.toml says.

usage: series_plan.py GIT_DIR BASE PATCHED FINAL AUTHOR SIGNOFF DATE PATCH...

BASE is the clean tree, PATCHED has the commits of PATCH... (files of patches/) on top of it, and
FINAL the overlay files on top of that. Prints the last commit of the series, whose tree is FINAL's.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from series_cut import CutError, Overlay

PLAN = Path(__file__).resolve().parent.parent / "patches" / "series.toml"
KEYS = {"patches", "files", "parts", "subject", "message", "build"}


class Git:
    """Commands on the objects of a repository, with an index of their own."""

    def __init__(self, git_dir, index):
        self.command = ["git", "-c", "safe.directory=*", "--git-dir", git_dir]
        self.env = {**os.environ, "GIT_INDEX_FILE": index}

    def run(self, *args, data=None, env=None):
        if isinstance(data, str):
            data = data.encode()
        done = subprocess.run(
            [*self.command, *args], input=data, capture_output=True, env={**self.env, **(env or {})}
        )
        if done.returncode:
            raise CutError(f"git {args[0]}: {done.stderr.decode().strip()}")
        return done.stdout

    def text(self, *args, **more):
        return self.run(*args, **more).decode().strip()


def read_plan():
    with open(PLAN, "rb") as file:
        mails = tomllib.load(file)["mail"]
    for mail in mails:
        unknown = set(mail) - KEYS
        if unknown:
            raise CutError(f"{PLAN.name}: a mail has unknown keys: {' '.join(sorted(unknown))}")
    return mails


def slug(name):
    """What a patch is called, without its number, which changes."""
    return name.partition("-")[2].removesuffix(".patch")


def patches_of(mail, names):
    """The names of the patches that a mail brings."""
    result = []
    for key in mail.get("patches", []):
        found = [name for name in names if slug(name).startswith(key)]
        if len(found) != 1:
            raise CutError(f"the plan names a patch '{key}', of which there are {len(found)}")
        result.append(found[0])
    return result


def add_patches(mails, names):
    """Adds a mail for each patch that the plan does not name, after that of the patch before it."""
    place = {}
    for mail in mails:
        for name in patches_of(mail, names):
            if name in place:
                raise CutError(f"more than one mail of the plan takes {name}")
            place[name] = mail
    at = 0
    for name in names:
        if name in place:
            at = next(n for n, mail in enumerate(mails) if mail is place[name]) + 1
        else:
            mails.insert(at, {"patches": [slug(name)]})
            at += 1


def read_overlay(git, patched, final):
    names = git.text("diff", "--name-only", "-z", patched, final).split("\0")
    modes, texts = {}, {}
    for name in filter(None, names):
        mode, _, blob, _ = re.split(r"[ \t]", git.text("ls-tree", final, "--", name), maxsplit=3)
        modes[name] = mode
        texts[name] = git.run("cat-file", "blob", blob).decode()
    return modes, texts


def message_of(git, mail, patches):
    """Subject and text: those of the mail's patch, unless the plan has others."""
    subject = body = ""
    if patches:
        whole = git.text("log", "-1", "--format=%B", patches[0])
        subject, _, body = whole.partition("\n")
    subject = mail.get("subject", subject)
    body = mail.get("message", body).strip()
    if not subject or not body:
        raise CutError(f"a mail has no subject or no message: {subject or mail}")
    return f"{subject}\n\n{body}\n"


def make(git, base, patched, final, author, signoff, date, names):
    mails = read_plan()
    ordered = git.text("rev-list", "--reverse", f"{base}..{patched}").split()
    if len(ordered) != len(names):
        raise CutError("patches/ changed meanwhile; run this again")
    commits = dict(zip(names, ordered))
    add_patches(mails, names)

    modes, texts = read_overlay(git, patched, final)
    overlay = Overlay(texts)
    for number, mail in enumerate(mails):
        for path in mail.get("files", []):
            overlay.take(number, path)
        for path, items in mail.get("parts", {}).items():
            overlay.take(number, path, items)
    overlay.close()

    name, _, mail_address = author.partition(" <")
    identity = {}
    for role in ("AUTHOR", "COMMITTER"):
        identity[f"GIT_{role}_NAME"] = name
        identity[f"GIT_{role}_EMAIL"] = mail_address.rstrip(">")
        identity[f"GIT_{role}_DATE"] = date

    git.run("read-tree", base)
    commit, tree = base, git.text("rev-parse", f"{base}^{{tree}}")
    builds, versions = [], {}
    for number, mail in enumerate(mails):
        own = [commits[name] for name in patches_of(mail, names)]
        message = message_of(git, mail, own)
        for patch in own:
            diff = git.run("diff", "--binary", f"{patch}^", patch)
            try:
                git.run("apply", "--cached", "--whitespace=nowarn", data=diff)
            except CutError as error:
                raise CutError(f"'{message.splitlines()[0]}' does not apply here: {error}") from None
        for path in overlay.texts:
            text = overlay.version(path, number)
            if text != versions.get(path):
                versions[path] = text
                blob = git.text("hash-object", "-w", "--stdin", data=text)
                git.run("update-index", "--add", "--cacheinfo", f"{modes[path]},{blob},{path}")
        new_tree = git.text("write-tree")
        if new_tree == tree:
            raise CutError(f"nothing is left for '{message.splitlines()[0]}'")
        tree = new_tree
        if signoff:
            message += f"\nSigned-off-by: {signoff}\n"
        commit = git.text("commit-tree", tree, "-p", commit, data=message, env=identity)
        if mail.get("build"):
            builds.append(commit)

    if tree != git.text("rev-parse", f"{final}^{{tree}}"):
        raise CutError(
            "the series does not give the tree that is built:\n"
            + git.text("diff", "--stat", commit, final)
        )
    mark_builds(git, builds)
    return commit


def mark_builds(git, commits):
    """Leaves references for `make series-check` to where it builds."""
    marks = git.text("for-each-ref", "--format=%(refname)", "refs/rvkms/build").split()
    changes = [f"delete {mark}\n" for mark in marks]
    git.run("update-ref", "--stdin", data="".join(changes))
    changes = [f"create refs/rvkms/build/{n:03} {commit}\n" for n, commit in enumerate(commits)]
    git.run("update-ref", "--stdin", data="".join(changes))


def main():
    git_dir, base, patched, final, author, signoff, date, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        git = Git(git_dir, f"{folder}/index")
        try:
            print(make(git, base, patched, final, author, signoff, date, names))
        except (CutError, tomllib.TOMLDecodeError) as error:
            sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
