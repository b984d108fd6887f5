# SPDX-License-Identifier: GPL-2.0
# The developer's entry points; each is one line into tools/.
#
# VM=uml|qemu|debug  where the kernel runs (default: uml); debug: uml, with KASAN and lockdep;
# VM=time-travel     uml, where computing takes no time: the default of `make igt`
# DRIVER=NAME        the driver to run or test (default: rvkms)
# DEVICE=bochs       with VM=qemu: a PCI display, driven by rvkms_bochs
# KDIR=TREE          a kernel tree of your own instead of the fetched one; only `make apply` writes to it
# T=REGEX            which tests

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export VM DRIVER DEVICE KDIR T SIGNOFF EACH FULL

.PHONY: help run test shell kunit igt bench soak lint doc fetch apply series series-check refresh build clean distclean

help: ## this list
	@sed -n 's/^# \([A-Z]*=.*\)/  \1/p; s/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

run: ## boot, load rvkms, run kmscube; the picture is build/kmscube.png
	@tools/run

test: ## all tests; the last line is "N passed, M failed, K skipped"
	@tools/test

shell: ## a shell in the booted guest, with the driver loaded
	@tools/shell

kunit: ## the KUnit tests alone
	@tools/kunit

igt: ## IGT tests that match T, on rvkms and on C vkms, as a table
	@VM=$${VM:-time-travel} tools/igt

bench: ## CPU time of frames beside C vkms; the ratios are build/bench.png
	@tools/bench

soak: ## hours of rounds on the debug build
	@tools/soak

lint: ## rustfmt, clippy, checkpatch, rustdoc, shellcheck
	@tools/lint

doc: ## the kernel's documents of this repository, in build/doc
	@tools/doc

fetch: ## get what the others need: packages, roots, Linux
	@tools/fetch

apply: ## put patches/ and the overlay on build/linux; with KDIR=TREE, the series on a tree of yours
	@$(if $(KDIR),tools/apply-series "$(KDIR)",tools/prepare)

series: ## the mails to send, in build/series; SIGNOFF="Name <mail>" is the sender
	@tools/series

series-check: ## prove the series: git am, checkpatch, builds; EACH=1 builds after each patch
	@tools/series-check

refresh: ## turn commits made in build/linux into patches/
	@tools/refresh

build: ## build the kernel and its modules
	@tools/make-kernel

clean: ## remove build/; what was fetched stays
	@tools/clean

distclean: ## remove build/ and the cache folder
	@tools/clean all
