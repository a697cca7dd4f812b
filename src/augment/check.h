/* SPDX-License-Identifier: Apache-2.0
 * The rules of op.h and pba.h, tried on an operation: pba_op_test and the loading of plug-ins. */
#ifndef AUGMENT_CHECK_H
#define AUGMENT_CHECK_H

#include "augment/op.h"

enum { AUGMENT_PLACE = 160 };

/* All checks, and the speed where `timed`. `place` is where the operation is tried at the moment,
 * for whoever sees the process die. `report`->name and so on are filled in, too. */
void augment_check_name(pba_op_report *report); /* the findings' names and sentences */
pba_status augment_check(const augment_op *op, bool timed, char place[AUGMENT_PLACE],
                         pba_op_report *report);

#endif
