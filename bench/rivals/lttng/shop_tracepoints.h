/* SPDX-License-Identifier: Apache-2.0
 * The record as LTTng-UST's tracepoints: seven fields, and one array of 200 bytes. LTTng's own way: the header is read several times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER shop

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "bench/rivals/lttng/shop_tracepoints.h"

#if !defined(SHMRING_BENCH_SHOP_TRACEPOINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define SHMRING_BENCH_SHOP_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(
    shop, record,
    LTTNG_UST_TP_ARGS(
        const char*, body,
        int64_t, order,
        const char*, customer,
        const char*, route,
        const uint8_t*, trace_id,
        const uint8_t*, span_id,
        int, severity),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_string(body, body)
        lttng_ust_field_integer(int64_t, order_id, order)
        lttng_ust_field_string(customer_name, customer)
        lttng_ust_field_string(http_route, route)
        lttng_ust_field_array(uint8_t, trace_id, trace_id, 16)
        lttng_ust_field_array(uint8_t, span_id, span_id, 8)
        lttng_ust_field_integer(int, severity, severity)))

LTTNG_UST_TRACEPOINT_EVENT(
    shop, bytes,
    LTTNG_UST_TP_ARGS(const uint8_t*, payload),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_array(uint8_t, payload, payload, 200)))
/* clang-format on */

#endif

#include <lttng/tracepoint-event.h>
