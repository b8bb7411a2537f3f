// SPDX-License-Identifier: Apache-2.0
// What LTTng's macros make of the tracepoints. Compiled without our warnings: the code is theirs.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "bench/rivals/lttng/shop_tracepoints.h"
