/* SPDX-License-Identifier: Apache-2.0
 * Opens a data set for scripts that check it:
 *     dataset_tool PATH SIZE FIT            (SIZE and FIT: as in pba_dataset_options, or -)
 * Lines of text: format; width height channels classes; images for training, validation, test;
 * notes; a line for each class. Then the labels, two bytes each in the machine's order, and all
 * pixels. An error is a line on standard error, exit 1. */
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"

static void write_all(const pba_dataset *dataset)
{
    const data_content *content = &dataset->content;
    size_t images = data_images(content);
    printf("%s\n%d %d %d %d\n%d %d %d\n%s\n", dataset->format->name, content->width,
           content->height, content->channels, content->classes, content->counts[PBA_TRAIN],
           content->counts[PBA_VALIDATION], content->counts[PBA_TEST], content->notes);
    for (int i = 0; i < content->classes; i++) {
        printf("%s\n", content->names[i]);
    }
    fwrite(content->labels, sizeof *content->labels, images, stdout);
    fwrite(content->pixels, data_image_bytes(content), images, stdout);
}

static void take(char *field, const char *word)
{
    if (strcmp(word, "-") != 0) {
        snprintf(field, PBA_NAME_MAX, "%s", word);
    }
}

int main(int count, char **words)
{
    pba_dataset_options options = {0};
    pba_dataset *dataset = NULL;
    if (count != 4) {
        fprintf(stderr, "dataset_tool PATH SIZE FIT\n");
        return 2;
    }
    take(options.size, words[2]);
    take(options.fit, words[3]);
    if (pba_dataset_open_with(words[1], &options, &dataset) != PBA_OK) {
        fprintf(stderr, "%s\n", pba_error_message());
        return 1;
    }
    write_all(dataset);
    pba_dataset_free(dataset);
    return 0;
}
