# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every tool: where things are, how to say what happens, how to fail.

set -euo pipefail
shopt -s inherit_errexit

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=$CHECKOUT/tools
BUILD=$CHECKOUT/build
LOG_DIR=$BUILD/log
CACHE=${RVKMS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rvkms}
BUILD_ROOT=$CACHE/build-root
GUEST_ROOT=$CACHE/guest-root

# The Linux release that this repository is an overlay on.
LINUX_VERSION=7.3.4
LINUX_PACKAGE=linux-source-7.3
LINUX_GIT=$CACHE/linux.git

# The kernel tree to build; a copy of a built tree may be given instead.
TREE=${TREE:-$BUILD/linux}

mkdir -p "$LOG_DIR" "$CACHE"

# A tool ends when whatever started it ends, so that an interrupted run leaves nothing running.
if [ "${RVKMS_GUARDED:-}" != $$ ]; then
	RVKMS_GUARDED=$$ exec setpriv --pdeathsig TERM -- "$0" "$@"
fi

say() { printf '%s\n' "$*"; }

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# listed FILE: the lines of a list, without comments and what is empty then.
listed() { sed 's/ *#.*//' "$1" | grep .; }

# results_of NAME LOG: the `ok|FAIL|skip TEST` lines of a log as results, `pass|fail|skip NAME/TEST`.
results_of() {
	sed -nE "s,^ok +,pass $1/,p; s,^FAIL +,fail $1/,p; s,^skip +,skip $1/,p" "$2"
}

# commit_as NAME EMAIL DATE COMMAND...: lets git make a commit of this author.
# The committer is fixed, so that equal content gives equal commits.
commit_as() {
	GIT_AUTHOR_NAME=$1 GIT_AUTHOR_EMAIL=$2 GIT_AUTHOR_DATE=$3 \
		GIT_COMMITTER_NAME=${OWN_AUTHOR[0]} GIT_COMMITTER_EMAIL=${OWN_AUTHOR[1]} \
		GIT_COMMITTER_DATE=${OWN_AUTHOR[2]} "${@:4}"
}
OWN_AUTHOR=(rvkms rvkms@localhost '2026-01-01T00:00:00Z')

# Everything that makes roots, mounts or boots needs root: start again with sudo.
need_root() {
	if [ "$(id -u)" -eq 0 ]; then
		return
	fi
	command -v sudo >/dev/null || die "root is needed; install sudo or run as root"
	exec sudo --preserve-env=DRIVER,VM,DEVICE,T,KDIR,TREE,SECONDS_MAX,JOBS RVKMS_CACHE="$CACHE" "$0" "$@"
}

# Prints seconds since the given `now` value, with one digit after the point.
now() { date +%s%3N; }
since() { printf '%d.%d s' $((($(now) - $1) / 1000)) $((($(now) - $1) % 1000 / 100)); }

# Says how far a phase is: its last line of output, every second on a terminal, else every minute.
progress() {
	local log=$1 start=$2 every=60 line
	[ ! -t 1 ] || every=1
	# Reading a pipe that nobody writes to waits without a process of its own.
	exec 7<> <(:)
	while kill -0 $$ 2>/dev/null; do
		read -rt "$every" -u 7 || true
		line=$(tail -n 1 "$log" | tr -d '\r' | cut -c -50)
		if [ -t 1 ]; then
			printf '\r\033[K%-44s %s  %s' "$title ..." "$(since "$start")" "$line"
		else
			printf '    %s: %s\n' "$(since "$start")" "$line"
		fi
	done
}

# phase NAME TITLE CMD...: runs a command with its output in build/log/NAME.log,
# says how long it took, and shows the end of the log when it fails. Not for use in conditions.
phase() {
	local log=$LOG_DIR/$1.log title=$2 start status watcher
	shift 2
	start=$(now)
	: >"$log"
	[ -t 1 ] || printf '%s ...\n' "$title"
	progress "$log" "$start" 8>&- 9>&- &
	watcher=$!
	try "$@" >"$log" 2>&1 </dev/null
	status=$tried
	kill "$watcher" 2>/dev/null
	wait "$watcher" 2>/dev/null || true
	[ ! -t 1 ] || printf '\r\033[K'
	if [ "$status" -eq 0 ]; then
		printf '%-44s %s\n' "$title" "$(since "$start")"
		return
	fi
	printf '%-44s FAILED after %s\n' "$title" "$(since "$start")"
	{
		grep -m 3 -nE -A 7 '^error|: error:|^ERROR|^E: ' "$log" || true
		echo '...'
		tail -n 12 "$log"
	} | sed 's/^/  | /' >&2
	hint "$log" >&2
	printf 'full log: %s\n' "$log" >&2
	return "$status"
}

# hint LOG: what to do about the usual troubles of a machine.
hint() {
	if grep -qiE 'could not (connect|resolve)|unable to connect|temporary failure|network is unreachable' "$1"; then
		say "The network or a package registry was not reached: check it, and http_proxy, and run this again."
	elif grep -qi 'no space left on device' "$1"; then
		say "The disk is full: make room and run this again."
	fi
}

# try CMD...: goes on when CMD fails, and leaves its status in $tried.
# Not `CMD || ...`: within that, bash would not stop a failing function.
try() {
	set +e
	(
		set -e
		"$@"
	)
	tried=$?
	set -e
}

# lock: waits until no other kernel build runs on this machine; held until this tool ends.
lock() {
	exec 8>"$CACHE/build.lock"
	if ! flock -n 8; then
		say "waiting for another build on this machine ..."
		flock 8
	fi
}

jobs_count() { echo "${JOBS:-$(nproc)}"; }
