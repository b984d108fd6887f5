# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Makes commits out of patches/ and the overlay files without touching any work tree.

# Directories of this checkout that are laid over the kernel tree.
OVERLAY_DIRS=(Documentation drivers include lib rust samples)

tree_git() { git -c safe.directory='*' -C "$TREE" "$@"; }

base_commit() { tree_git rev-parse -q --verify refs/rvkms/base; }

# commit_with TREE PARENT AUTHOR_NAME AUTHOR_EMAIL DATE < message
commit_with() { commit_as "${@:3}" tree_git commit-tree "$1" -p "$2"; }

# header NAME FILE: the value of a line that git mailinfo printed.
header() { sed -n "s/^$1: //p" "$2"; }

# commit_patch COMMIT PATCH: prints the commit of PATCH on top of COMMIT.
# Expects GIT_INDEX_FILE to hold COMMIT's tree.
commit_patch() {
	local parent=$1 patch=$2 dir=$WORK
	git mailinfo "$dir/message" "$dir/diff" <"$patch" >"$dir/info"
	[ -n "$(header Subject "$dir/info")" ] || die "$patch has no subject"
	if ! tree_git apply --cached --whitespace=nowarn "$dir/diff" 2>"$dir/errors"; then
		cat "$dir/errors" >&2
		die "$patch does not apply to this tree; nothing was changed"
	fi
	{
		header Subject "$dir/info"
		printf '\n'
		cat "$dir/message"
	} | commit_with "$(tree_git write-tree)" "$parent" "$(header Author "$dir/info")" \
		"$(header Email "$dir/info")" "$(header Date "$dir/info")"
}

# commit_patches BASE: prints the commit that holds all of patches/.
# The last result is kept, and used again while base and patches are the same.
commit_patches() {
	local base=$1 key commit patch known
	key=$({
		echo "$base"
		find "$CHECKOUT/patches" -name '*.patch' 2>/dev/null | LC_ALL=C sort | xargs -r cat
	} | sha256sum | cut -d' ' -f1)
	mkdir -p "$TREE/.rvkms"
	known=$(cat "$TREE/.rvkms/patched" 2>/dev/null || true)
	if [ "${known%% *}" = "$key" ]; then
		echo "${known##* }"
		return
	fi
	WORK=$(mktemp -d)
	export GIT_INDEX_FILE=$TREE/.rvkms/index
	tree_git read-tree "$base"
	commit=$base
	for patch in "$CHECKOUT"/patches/*.patch; do
		[ -e "$patch" ] || continue
		commit=$(commit_patch "$commit" "$patch")
	done
	unset GIT_INDEX_FILE
	rm -r "$WORK"
	echo "$key $commit" >"$TREE/.rvkms/patched"
	echo "$commit"
}

# overlay_files: the files of this checkout that belong into the kernel tree, NUL separated.
overlay_files() {
	local file
	git -c safe.directory='*' -C "$CHECKOUT" ls-files -z -co --exclude-standard -- "${OVERLAY_DIRS[@]}" |
		while IFS= read -r -d '' file; do
			if [ -e "$CHECKOUT/$file" ]; then
				printf '%s\0' "$file"
			fi
		done
}

# commit_overlay PATCHED: prints the commit that adds the overlay files.
# The last result is kept, and used again while nothing changed.
commit_overlay() {
	local patched=$1 taken key known commit
	key=$({
		echo "$patched"
		cd "$CHECKOUT" || exit
		overlay_files | xargs -0 -r stat -c '%a %n'
		overlay_files | xargs -0 -r cat
	} | sha256sum | cut -d' ' -f1)
	known=$(cat "$TREE/.rvkms/overlay" 2>/dev/null || true)
	if [ "${known%% *}" = "$key" ]; then
		echo "${known##* }"
		return
	fi
	export GIT_INDEX_FILE=$TREE/.rvkms/index
	tree_git read-tree "$patched"
	taken=$(overlay_files | tr '\0' '\n' | xargs -r git -c safe.directory='*' -C "$TREE" ls-files -c --)
	[ -z "$taken" ] || die "Linux already has these files, so the changes belong into patches/: $taken"
	overlay_files | tree_git --work-tree="$CHECKOUT" -C "$CHECKOUT" --git-dir="$TREE/.git" update-index --add -z --stdin
	commit=$(echo "Overlay files of the checkout." |
		commit_with "$(tree_git write-tree)" "$patched" "${OWN_AUTHOR[@]}")
	unset GIT_INDEX_FILE
	echo "$key $commit" >"$TREE/.rvkms/overlay"
	echo "$commit"
}
