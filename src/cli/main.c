/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "pba.h"

int main(void)
{
    printf("pba %d.%d.%d\n", PBA_VERSION_MAJOR, PBA_VERSION_MINOR, PBA_VERSION_PATCH);
    return 0;
}
