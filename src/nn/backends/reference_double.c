/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference backend in double: what finite differences are compared with. */
#define REFERENCE_REAL double
#define REFERENCE_BACKEND nn_backend_reference_double
#define REFERENCE_NAME "reference-double"
#define REFERENCE_SENTENCE "the reference in double precision, for the tests"

#include "nn/backends/reference.c"
