# SPDX-License-Identifier: Apache-2.0
# A thin front to Meson for the common cases; everything else is `meson` on the folder build/.
#   make            install what is missing (as root; else say how), build build/pba
#   make demo       search and train on generated data, a few minutes
#   make ablations  what in a schedule matters, on generated data; ten minutes
#   make own-operation  whether a search finds an operation that matters; twelve minutes, NumPy
#   make test       run the tests
#   make torture    the tests of reliability at length: TIME=30m; goes on where it was stopped
#   make coverage   which share of the lines and branches the tests reach; half an hour
#   make install    PREFIX=/usr/local and DESTDIR= as usual
#   make clean      remove build/
BUILD = build
PREFIX = /usr/local
TIME = 30m

.PHONY: all demo ablations own-operation test torture coverage install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	sh scripts/install-deps.sh
	meson setup --buildtype=release --prefix=$(PREFIX) $(BUILD)

demo: all
	sh scripts/demo.sh $(BUILD)/pba

ablations: all
	sh scripts/ablations.sh $(BUILD)/pba

own-operation: all
	sh scripts/own-operation.sh $(BUILD)/pba

test: all
	meson test -C $(BUILD) --print-errorlogs

torture: all
	sh scripts/torture.sh $(BUILD) $(TIME)

coverage:
	sh scripts/coverage.sh

install: all
	meson configure -Dprefix=$(PREFIX) $(BUILD)
	meson install -C $(BUILD)
	if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

clean:
	rm -rf $(BUILD)
