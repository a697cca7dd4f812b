/* SPDX-License-Identifier: Apache-2.0
 * Opening in a child: a decoder that another library lends fills the content there, and it comes
 * back through a stream in which the caller believes nothing unchecked. */
#ifndef DATA_ISOLATE_H
#define DATA_ISOLATE_H

#include "data/format.h"

/* Runs in the child: fills the content and tells the name of the format that it found. */
typedef pba_status (*isolate_open)(void *context, const pba_dataset_options *options,
                                   data_content *content, const char **format);

/* `path` is what errors name. Progress is told to options->progress in the caller. `format` comes
 * back as a terminated text, no more. The content is the caller's to free, after a failure too. */
pba_status isolate_run(const char *path, const pba_dataset_options *options, isolate_open open,
                       void *context, data_content *content, char format[PBA_NAME_MAX]);

#endif
