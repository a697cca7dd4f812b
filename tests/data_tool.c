/* SPDX-License-Identifier: Apache-2.0
 * Data sets for the test that compares them with other readers (oracle_data.py):
 *     data_tool PATH    writes what it holds to stdout: "width height channels classes train
 *                       validation test" and the class names, each a line; labels, 2 bytes each,
 *                       little-endian; pixels */
#include <stdio.h>

#include "data/dataset.h"

static void write_header(const data_content *content)
{
    printf("%d %d %d %d %d %d %d\n", content->width, content->height, content->channels,
           content->classes, content->counts[PBA_TRAIN], content->counts[PBA_VALIDATION],
           content->counts[PBA_TEST]);
    for (int i = 0; i < content->classes; i++) {
        printf("%s\n", content->names[i]);
    }
}

int main(int count, char **arguments)
{
    pba_dataset *dataset;
    if (count != 2) {
        fprintf(stderr, "usage: data_tool PATH\n");
        return 2;
    }
    if (pba_dataset_open(arguments[1], &dataset) != PBA_OK) {
        fprintf(stderr, "%s\n", pba_error_message());
        return 1;
    }
    const data_content *content = &dataset->content;
    size_t images = data_images(content);
    write_header(content);
    for (size_t i = 0; i < images; i++) {
        putchar(content->labels[i] & 255);
        putchar(content->labels[i] >> 8);
    }
    fwrite(content->pixels, data_image_bytes(content), images, stdout);
    pba_dataset_free(dataset);
    return fflush(stdout) == 0 ? 0 : 1;
}
