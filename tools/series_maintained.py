# SPDX-License-Identifier: GPL-2.0
"""Says which of the files named on stdin have no entry of their own in MAINTAINERS.

usage: series_maintained.py MAINTAINERS < NAMES
"""

import sys
from fnmatch import fnmatchcase


def patterns(path):
    section = previous = ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line[:2].endswith(":") and not previous:
                section = line
            elif line.startswith("F:") and section != "THE REST":
                yield line[2:].strip()
            previous = line


def covers(pattern, name):
    if pattern.endswith("/"):
        return name.startswith(pattern)
    # A wildcard does not reach into folders.
    return pattern.count("/") == name.count("/") and fnmatchcase(name, pattern)


names = sys.stdin.read().split()
known = list(patterns(sys.argv[1])) if names else []
unknown = [name for name in names if not any(covers(pattern, name) for pattern in known)]
for name in unknown:
    print(f"no entry in MAINTAINERS for {name}")
sys.exit(bool(unknown))
