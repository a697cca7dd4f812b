/* SPDX-License-Identifier: Apache-2.0
 * Operations of plug-ins: from a file to rows of the registry. */
#ifndef AUGMENT_PLUGIN_H
#define AUGMENT_PLUGIN_H

#include "augment/op.h"

/* pba_plugin_load of each file of the list, whose items have commas between. */
pba_status augment_plugins_load(const char *list);

/* Replaces the files of a list, which are loaded, by their full paths, so that a run can be resumed
 * from another folder. PBA_USAGE where they do not fit. */
pba_status augment_plugins_settle(char *list, size_t size);

#endif
