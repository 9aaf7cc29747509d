// SPDX-License-Identifier: GPL-2.0
/* trace.c - what the macros of trace.h make: the events themselves. */
#define CREATE_TRACE_POINTS
#include "trace.h"
