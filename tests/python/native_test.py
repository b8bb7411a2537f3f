# SPDX-License-Identifier: Apache-2.0
"""Rings, loggers, spans and raw records; the values of Python."""

import collections.abc
import enum
import gc
import logging
import os
import subprocess
import sys
import types
import unittest

import shmring
from support import RingTest, attributes, bodies, logs, plain, records, requests, spans

INFO = 9


WRONG_LOGS = [
    (TypeError, (INFO,), {}), (TypeError, (INFO, ""), {"colour": 1}), (TypeError, (INFO, ""), {"body": 1}),
    (TypeError, (INFO, "", {}, None), {}), (TypeError, ("high", ""), {}), (TypeError, (1.5, ""), {}), (OverflowError, (-1, ""), {}),
    (OverflowError, (2**32, ""), {}), (TypeError, (INFO, "", 5), {}), (TypeError, (INFO, ""), {"timestamp": "now"}),
    (TypeError, (INFO, ""), {"timestamp": 1.5}), (OverflowError, (INFO, ""), {"timestamp": 2**64}),
    (OverflowError, (INFO, ""), {"observed_timestamp": -1}), (TypeError, (INFO, ""), {"dropped_attributes_count": []}),
    (ValueError, (INFO, ""), {"trace": "00-zz"}), (ValueError, (INFO, ""), {"trace": (1,)}), (TypeError, (INFO, ""), {"trace": 5}),
    (TypeError, (INFO, ""), {"trace": ("1", 2)}), (ValueError, (INFO, ""), {"trace": (b"1", 2)}), (ValueError, (INFO, ""), {"trace": (1, -2)}),
    (ValueError, (INFO, ""), {"trace": (2**128, 2)}), (ValueError, (INFO, ""), {"trace": (1, 2**64)}),
    (TypeError, (INFO, ""), {"trace": (1, 2, "sampled")})]
WRONG_SPANS = [
    (TypeError, {"events": ["text"]}), (TypeError, {"links": [5]}), (TypeError, {"events": [()]}), (TypeError, {"links": 5}),
    (TypeError, {"kind": "server"}), (TypeError, {"status": 1.5}), (ValueError, {"parent_span_id": b"1"}), (TypeError, {"parent_span_id": "1"}),
    (TypeError, {"links": [("no header",) * 9]}), (ValueError, {"links": [("no header",)]}), (TypeError, {"events": [("x", "now")]}),
    (TypeError, {"events": [("x", 1, 5)]}), (OverflowError, {"dropped_links_count": 2**32}), (TypeError, {"colour": 1})]


class Unprintable:
    def __str__(self):
        raise ValueError("no")


class Values(RingTest):
    def arrived(self, value):
        ring = shmring.open(self.path)
        self.assertTrue(ring.logger("scope").log(INFO, "body", {"key": value}))
        return attributes(logs(self.path)[-1]["attributes"])["key"]

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

    def test_a_value_whose_str_takes_its_container_away_harms_nobody(self):
        program = '''if True:
            import shmring, sys
            logger, outer = shmring.open(sys.argv[1]).logger(), []

            class Clears:
                def __str__(self):
                    outer.clear()
                    return "cleared"

            outer.append([Clears(), *map(str, range(100))])
            logger.log(9, outer)
            outer.append({"clears": Clears(), "last": "last"})
            logger.log(9, outer)'''
        environment = dict(os.environ, PYTHONMALLOC="debug")  # what is freed is overwritten
        result = subprocess.run([sys.executable, "-c", program, self.path], env=environment, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        (a_list,), (a_dict,) = bodies(self.path)
        self.assertEqual(a_list, ["cleared", *map(str, range(100))])
        self.assertEqual(a_dict, {"clears": "cleared", "last": "last"})

    def test_what_only_claims_to_be_a_container_is_a_text(self):
        class Broken(collections.abc.Sequence):
            def __len__(self):
                return 3

            def __getitem__(self, index):
                raise ValueError("no")

            def __str__(self):
                return "broken"

        class Unbound:  # as a web framework's proxy for the request, outside of one
            @property
            def __class__(self):
                raise RuntimeError("there is no request")

            def __str__(self):
                raise RuntimeError("there is no request")

        released = memoryview(b"abc")
        released.release()
        broken, unbound, memory = self.arrived([Broken(), Unbound(), released])
        self.assertEqual((broken, unbound), ("broken", "<Unbound object whose str() failed>"))
        self.assertIn("released", memory)

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

    def test_a_number_is_anything_that_stands_for_one(self):
        class Index:
            def __index__(self):
                return 17

        logger = shmring.open(self.path).logger()
        for severity in (17, Index(), enum.Enum("Severity", {"ERROR": 17}).ERROR, enum.IntEnum("Severity", {"ERROR": 17}).ERROR):
            self.assertTrue(logger.log(severity, "", timestamp=Index()))
        self.assertEqual([(record["severityNumber"], record["timeUnixNano"]) for record in logs(self.path)], 4 * [(17, "17")])

    def test_wrong_arguments_are_errors(self):
        logger = shmring.open(self.path).logger()
        for error, arguments, named in WRONG_LOGS:
            with self.subTest(arguments=arguments, named=named):
                self.assertRaises(error, logger.log, *arguments, **named)
        self.assertRaises(TypeError, logger.enabled, "high")
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

    def test_wrong_arguments_are_errors(self):
        tracer = shmring.open(self.path).tracer()
        for error, wrong in WRONG_SPANS:
            with self.subTest(wrong):
                self.assertRaises(error, tracer.emit, "x", (1, 2), 1, 2, **wrong)
        for context in ((0, 2), (1, 0), None):  # no reader takes a span without ids
            self.assertRaises(shmring.Error, tracer.emit, "x", context, 1, 2)
        self.assertRaises(TypeError, tracer.emit, "x", (1, 2), 1)
        self.assertRaises(TypeError, tracer.emit, "x", (1, 2), "now", 2)
        self.assertEqual(spans(self.path), [])


    def test_values_in_events_and_links_as_deep_as_they_go_are_valid(self):
        tracer = shmring.open(self.path).tracer()
        for depth in range(30, 35):
            for value in ({}, [], [{}], 1):
                for _ in range(depth):
                    value = {"k": value}
                self.assertTrue(tracer.emit("x", (1, 2), 1, 2, events=[("e", 1, value)], links=[((3, 4), value)]))
        self.assertEqual(len(spans(self.path)), 20)


class Rings(RingTest):
    def test_raw_records_arrive(self):
        ring = shmring.open(self.path)
        name = b"\x0a\x10" + 16 * b"\1" + b"\x12\x08" + 8 * b"\2" + b"\x2a\x05hello"  # trace_id, span_id, name
        self.assertTrue(ring.write(shmring.SPAN, ring.scope("raw", "1"), name))
        self.assertEqual([(scope, span["name"]) for scope, span in records(self.path, "resourceSpans", "scopeSpans", "spans")],
                         [("raw", "hello")])

    def test_wrong_arguments_of_a_ring_are_errors(self):
        ring = shmring.open(self.path)
        for error, call, arguments in ((TypeError, ring.write, ("log", 0, b"")), (TypeError, ring.write, (shmring.LOG, 0, "")),
                                       (shmring.Error, ring.write, (9, 0, b"")), (shmring.Error, ring.write, (shmring.LOG, 2**16, b"")),
                                       (OverflowError, ring.write, (2**32 + shmring.LOG, 0, b"")),
                                       (shmring.Error, ring.write, (shmring.LOG, 60000, b"")), (TypeError, ring.scope, ()),
                                       (TypeError, ring.set_min_severity, ("high",)), (shmring.Error, ring.set_min_severity, (25,)),
                                       (TypeError, ring.logger, ("a", "b", "c")), (TypeError, shmring._native.Sink, (5,))):
            with self.subTest(call=call, arguments=arguments):
                self.assertRaises(error, call, *arguments)
        self.assertEqual(ring.status()["attempted"], 0)

    def test_nothing_stays_behind_after_a_call(self):
        ring = shmring.open(self.path)
        logger, tracer, sink = ring.logger("a"), ring.tracer("a"), shmring._native.Sink(ring)
        values = {"a": [1, 2.5, None, {"b": b"c"}], "long": 2**70, "text": "caf\u00e9", "other": {1}, "surrogate": "\udc80", "bytes": bytearray(2),
                  "proxy": types.MappingProxyType({"x": range(3)}), "unprintable": Unprintable(), 5: 6, **{f"k{i}": i for i in range(100)}}
        try:
            raise KeyError("k")
        except KeyError as error:
            record = logging.LogRecord("n", 30, "f", 1, "%s", ("x",), (KeyError, error, None))
        record.__dict__.update(values)
        calls = [lambda: logger.log(INFO, values, values, trace=(1, 2)), lambda: sink.emit(record), lambda: sink.emit_as(record, values),
                 lambda: tracer.emit("x", (1, 2, 1), 1, 2, values, events=[("e", 1, values)], links=[((1, 2), values, "a=b", True)]),
                 lambda: ring.write(shmring.LOG, ring.scope("b"), b""), lambda: (ring.logger("a"), ring.tracer("a"), ring.status(), ring.drops()),
                 lambda: (shmring._native.Sink(ring).emit(record), shmring.open(self.path), repr(ring), ring.path, logger.enabled(5)),
                 *[lambda e=e, a=a, n=n: self.assertRaises(e, logger.log, *a, **n) for e, a, n in WRONG_LOGS],
                 *[lambda e=e, n=n: self.assertRaises(e, tracer.emit, "x", (1, 2), 1, 2, **n) for e, n in WRONG_SPANS]]
        for call in calls:
            blocks = []
            for _ in range(5):
                for _ in range(50):
                    call()
                gc.collect()
                blocks.append(sys.getallocatedblocks())
            # caches fill, in some rounds; what is left behind by each call is in every one
            self.assertLess(min(after - before for before, after in zip(blocks, blocks[1:])), 50)

    def test_a_second_interpreter_is_told_that_it_cannot_have_it(self):
        program = '''if True:
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            import shmring
            other = interpreters.create()
            told = interpreters.run_string(other, "import shmring")
            if told is not None:
                raise ImportError(told.formatted)'''
        try:
            import _interpreters  # noqa: F401
        except ImportError:
            try:
                import _xxsubinterpreters  # noqa: F401
            except ImportError:
                self.skipTest("this Python shows no interpreters")
        result = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, "ImportError.*(in another interpreter|loading in subinterpreters)")

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

    def test_a_resource_keeps_the_kinds_of_its_values(self):
        given = {"cores": 4, "load": 0.5, "spot": True, "zones": ["a", "b"], "raw": {"k": None}}
        shmring.open(self.path, resource=given, resource_schema_url="https://example.org/1").logger().log(INFO, "")
        of_resource = requests(self.path)[0]["resourceLogs"][0]
        found = attributes(of_resource["resource"]["attributes"])
        self.assertEqual({key: found[key] for key in given}, given)
        self.assertIs(found["spot"], True)
        self.assertEqual(of_resource["schemaUrl"], "https://example.org/1")

    def test_a_scope_arrives_with_attributes_and_schema_url(self):
        ring = shmring.open(self.path)
        scope = dict(attributes={"n": 1, "list": ["x", 2]}, schema_url="https://example.org/2")
        ring.logger("a", "1", **scope).log(INFO, "")
        self.assertEqual(ring.scope("a", "1", **scope), ring.scope("a", "1", **scope))
        self.assertNotEqual(ring.scope("a", "1", **scope), ring.scope("a", "1"))
        ring.tracer("a", "1", **scope).emit("x", (1, 2), 1, 2)
        for request, resource, scopes in zip(requests(self.path), ("resourceLogs", "resourceSpans"), ("scopeLogs", "scopeSpans")):
            (found,) = request[resource][0][scopes]
            self.assertEqual((found["scope"]["name"], attributes(found["scope"]["attributes"]), found["schemaUrl"]),
                             ("a", scope["attributes"], scope["schema_url"]))
        self.assertRaises(TypeError, ring.logger, "a", "1", {"n": 1})
        self.assertRaises(TypeError, ring.logger, "a", attributes=1)

    def test_errors_say_what_is_wrong_and_have_a_code(self):
        with self.assertRaises(shmring.Error) as caught:
            shmring.open(self.path, attach_only=True)
        self.assertEqual(caught.exception.code, -2)
        self.assertIn(self.path, str(caught.exception))
        with self.assertRaises(shmring.Error) as caught:
            shmring.open(b"/nowhere/\xff.ring", attach_only=True)
        self.assertIn("/nowhere/\udcff.ring", str(caught.exception))
        self.assertRaises(ValueError, shmring.open, "a\0b")
        self.assertRaises(ValueError, shmring.open, self.path, service_name="a\0b")
        self.assertRaises(TypeError, shmring.open, self.path, service_name=5)
        self.assertRaises(TypeError, shmring.open, 5)
        self.assertRaises(ValueError, shmring.open, self.path, on_full="wait")
        self.assertRaises(TypeError, shmring.open, self.path, resource=1)
        self.assertRaises(OverflowError, shmring.open, self.path, writers=2**40)
        self.assertRaises(TypeError, shmring.Ring)

    def test_a_logger_outlives_the_name_of_its_ring(self):
        logger = shmring.open(self.path).logger("left")
        self.assertTrue(logger.log(INFO, "still"))
        self.assertEqual(bodies(self.path), ["still"])


if __name__ == "__main__":
    unittest.main()
