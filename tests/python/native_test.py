# SPDX-License-Identifier: Apache-2.0
"""Rings, loggers, spans and raw records; the values of Python."""

import types
import unittest

import shmring
from support import RingTest, attributes, bodies, logs, plain, records, requests, spans

INFO = 9


class Unprintable:
    def __str__(self):
        raise ValueError("no")


class Values(RingTest):
    def arrived(self, value):
        ring = shmring.open(self.path)
        self.assertTrue(ring.logger("scope").log(INFO, "body", {"key": value}))
        return attributes(self.only_log()["attributes"])["key"]

    def test_each_kind_of_value_arrives_as_what_it_is(self):
        given = {"text": "caf\u00e9", "empty": "", "yes": True, "no": False, "int": -7, "float": 2.5, "none": None, "bytes": b"\xff",
                 "list": [1, "a", None, [True]], "tuple": (1, 2), "map": {"a": {"b": 1}}, "proxy": types.MappingProxyType({"x": 1}),
                 "range": range(3)}
        expected = dict(given, bytes="/w==", tuple=[1, 2], proxy={"x": 1}, range=[0, 1, 2])
        self.assertEqual(self.arrived(given), expected)

    def test_the_64_bit_limits_are_ints_and_what_is_beyond_them_is_its_digits(self):
        limits = [2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**40]
        self.assertEqual(self.arrived(limits), [2**63 - 1, -(2**63), str(2**63), str(-(2**63) - 1), str(10**40)])

    def test_an_int_of_more_digits_than_python_prints_arrives_in_hexadecimal(self):
        self.assertEqual(self.arrived(1 << 20000), "0x1" + "0" * 5000)

    def test_anything_else_is_its_str(self):
        self.assertEqual(self.arrived([complex(1, 2), {1}, int]), ["(1+2j)", "{1}", "<class 'int'>"])

    def test_a_value_whose_str_fails_says_so_and_the_record_arrives(self):
        self.assertEqual(self.arrived(Unprintable()), "<Unprintable object whose str() failed>")

    def test_lone_surrogates_are_escaped(self):
        self.assertEqual(self.arrived("a\udc80b"), "a\\udc80b")

    def test_text_with_a_zero_byte_arrives_whole(self):
        self.assertEqual(self.arrived("a\0b"), "a\0b")

    def test_a_list_that_holds_itself_ends_somewhere(self):
        endless = []
        endless.append(endless)
        self.assertIsInstance(self.arrived(endless), list)

    def test_keys_that_are_no_str_become_one_and_empty_ones_are_left_out(self):
        self.assertEqual(self.arrived({1: "one", "": "nameless"}), {"1": "one"})

    def test_a_value_whose_str_changes_its_dict_harms_nobody(self):
        given = {}

        class Clears:
            def __str__(self):
                given.clear()
                return "cleared"

        given.update({"first": "x" * 100, "clears": Clears(), "last": "y" * 100})
        ring = shmring.open(self.path)
        self.assertTrue(ring.logger("").log(INFO, "body", given))
        self.assertEqual(attributes(self.only_log()["attributes"]), {"first": "x" * 100, "clears": "cleared"})

    def test_more_attributes_than_a_record_may_have_are_counted(self):
        ring = shmring.open(self.path)
        self.assertTrue(ring.logger("").log(INFO, "", {f"k{i}": i for i in range(1000)}))
        record = self.only_log()
        self.assertEqual(len(record["attributes"]) + record["droppedAttributesCount"], 1000)


class Loggers(RingTest):
    def test_all_fields_arrive(self):
        logger = shmring.open(self.path).logger("checkout", "1.4.0")
        self.assertTrue(logger.log(17, {"order": 1}, trace=(0x0102, 0x03, 1), severity_text="ERROR", event_name="declined", timestamp=5,
                                   observed_timestamp=6, dropped_attributes_count=7))
        self.assertEqual(records(self.path)[0][0], "checkout")
        record = self.only_log()
        self.assertEqual(plain(record.pop("body")), {"order": 1})
        self.assertEqual(record, {"timeUnixNano": "5", "observedTimeUnixNano": "6", "severityNumber": 17, "severityText": "ERROR",
                                  "eventName": "declined", "droppedAttributesCount": 7, "flags": 1,
                                  "traceId": "0" * 28 + "0102", "spanId": "0" * 14 + "03"})

    def test_a_trace_context_is_a_header_or_ids_or_an_object(self):
        logger = shmring.open(self.path).logger()
        trace_id, span_id = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
        for context in ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", (trace_id, span_id), (trace_id, span_id, 1),
                        (trace_id.to_bytes(16, "big"), span_id.to_bytes(8, "big")),
                        types.SimpleNamespace(trace_id=trace_id, span_id=span_id, trace_flags=1)):
            self.assertTrue(logger.log(INFO, "", trace=context))
        found = {(record["traceId"], record["spanId"], record["flags"]) for record in logs(self.path)}
        self.assertEqual(found, {(f"{trace_id:032x}", f"{span_id:016x}", 1)})

    def test_a_minimum_severity_filters(self):
        ring = shmring.open(self.path)
        logger = ring.logger()
        ring.set_min_severity(13)
        self.assertFalse(logger.enabled(INFO))
        self.assertFalse(logger.log(INFO, "too low"))
        self.assertTrue(logger.enabled(13))
        self.assertTrue(logger.log(13, "high enough"))
        self.assertEqual(bodies(self.path), ["high enough"])

    def test_wrong_arguments_are_errors(self):
        logger = shmring.open(self.path).logger()
        for call, error in ((lambda: logger.log(INFO), TypeError), (lambda: logger.log(INFO, "", colour=1), TypeError),
                            (lambda: logger.log(INFO, "", body=1), TypeError), (lambda: logger.log("high", ""), Exception),
                            (lambda: logger.log(INFO, "", trace="00-zz"), ValueError), (lambda: logger.log(INFO, "", trace=(1,)), ValueError)):
            self.assertRaises(error, call)
        self.assertEqual(logs(self.path), [])


class Spans(RingTest):
    def test_all_fields_arrive(self):
        tracer = shmring.open(self.path).tracer("web", "2")
        self.assertTrue(tracer.emit("GET /", (1, 2, 1), 10, 20, {"k": 1}, kind=2, trace_state="a=b", parent_span_id=3, parent_is_remote=True,
                                    events=[("event", 15, {"e": 1}, 4)], links=[((5, 6, 1), {"l": 2}, "c=d", False, 7)], status=2,
                                    status_message="bad", dropped_attributes_count=8, dropped_events_count=9, dropped_links_count=10))
        (span,) = spans(self.path)
        self.assertEqual(attributes(span["attributes"]), {"k": 1})
        self.assertEqual((span["traceId"], span["spanId"], span["parentSpanId"]), ("0" * 31 + "1", "0" * 15 + "2", "0" * 15 + "3"))
        self.assertEqual((span["name"], span["kind"], span["traceState"], span["flags"]), ("GET /", 2, "a=b", 0x301))
        self.assertEqual((span["startTimeUnixNano"], span["endTimeUnixNano"]), ("10", "20"))
        self.assertEqual(span["status"], {"code": 2, "message": "bad"})
        (event,), (link,) = span["events"], span["links"]
        self.assertEqual((event["name"], event["timeUnixNano"], event["droppedAttributesCount"]), ("event", "15", 4))
        self.assertEqual((link["traceId"][-1], link["spanId"][-1], link["traceState"], link["flags"]), ("5", "6", "c=d", 0x101))
        self.assertEqual(link["droppedAttributesCount"], 7)
        self.assertEqual((span["droppedAttributesCount"], span["droppedEventsCount"], span["droppedLinksCount"]), (8, 9, 10))

    def test_events_and_links_that_are_no_tuples_are_errors(self):
        tracer = shmring.open(self.path).tracer()
        for wrong in ({"events": ["text"]}, {"links": [5]}, {"events": [()]}, {"links": 5}):
            self.assertRaises(TypeError, tracer.emit, "x", (1, 2), 1, 2, **wrong)
        self.assertEqual(spans(self.path), [])


class Rings(RingTest):
    def test_raw_records_arrive(self):
        ring = shmring.open(self.path)
        name = b"\x0a\x10" + 16 * b"\1" + b"\x12\x08" + 8 * b"\2" + b"\x2a\x05hello"  # trace_id, span_id, name
        self.assertTrue(ring.write(shmring.SPAN, ring.scope("raw", "1"), name))
        self.assertEqual([(scope, span["name"]) for scope, span in records(self.path, "resourceSpans", "scopeSpans", "spans")],
                         [("raw", "hello")])

    def test_drops_are_counted_by_cause(self):
        ring = shmring.open(self.path, capacity_bytes=1 << 20, max_record_bytes=4096)
        self.assertFalse(ring.logger().log(INFO, "x" * ring.max_payload))
        self.assertEqual(ring.drops()["too_large"], 1)
        status = ring.status()
        self.assertEqual((status["attempted"], status["written"], status["dropped"]["too_large"], status["closes"]), (1, 0, 1, True))

    def test_the_resource_is_what_open_was_told(self):
        shmring.open(self.path, service_name="shop", resource={"deployment.environment.name": "test"}).logger().log(INFO, "")
        resource = attributes(requests(self.path)[0]["resourceLogs"][0]["resource"]["attributes"])
        self.assertEqual((resource["service.name"], resource["deployment.environment.name"]), ("shop", "test"))

    def test_errors_say_what_is_wrong_and_have_a_code(self):
        with self.assertRaises(shmring.Error) as caught:
            shmring.open(self.path, attach_only=True)
        self.assertEqual(caught.exception.code, -2)
        self.assertIn(self.path, str(caught.exception))
        self.assertRaises(ValueError, shmring.open, self.path, on_full="wait")
        self.assertRaises(TypeError, shmring.open, self.path, resource={"a": 1})
        self.assertRaises(OverflowError, shmring.open, self.path, writers=2**40)
        self.assertRaises(TypeError, shmring.Ring)

    def test_a_logger_outlives_the_name_of_its_ring(self):
        logger = shmring.open(self.path).logger("left")
        self.assertTrue(logger.log(INFO, "still"))
        self.assertEqual(bodies(self.path), ["still"])


if __name__ == "__main__":
    unittest.main()
