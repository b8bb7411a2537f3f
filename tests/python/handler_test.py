# SPDX-License-Identifier: Apache-2.0
"""shmring.Handler: what becomes of a call of `logging`."""

import contextlib
import io
import logging
import logging.config
import queue
import signal
import subprocess
import sys
import threading
import types
import unittest
import unittest.mock
import warnings
from logging.handlers import QueueHandler

import shmring
from support import RingTest, attributes, bodies, logs, plain, records


class HandlerTest(RingTest):
    def setUp(self):
        super().setUp()
        self.handler = shmring.Handler(path=self.path)
        self.logger = logging.Logger("checkout", logging.DEBUG)  # none of the process's: it ends with the test
        self.logger.addHandler(self.handler)

    def attributes(self):
        return attributes(self.only_log()["attributes"])


class Records(HandlerTest):
    def test_message_level_name_and_place_arrive(self):
        self.logger.warning("order %d of %s", 4711, "caf\u00e9")
        (scope, record), = records(self.path)
        self.assertEqual((scope, record["severityNumber"], record["severityText"]), ("checkout", 13, "WARNING"))
        self.assertEqual(plain(record["body"]), "order 4711 of caf\u00e9")
        place = attributes(record["attributes"])
        self.assertEqual((place["code.file.path"], place["code.function.name"]), (__file__, self._testMethodName))
        self.assertGreater(place["code.line.number"], 0)
        self.assertEqual(set(place), {"code.file.path", "code.function.name", "code.line.number"})

    def test_levels_are_opentelemetrys_severities(self):
        for level, severity in ((5, 1), (10, 5), (12, 7), (19, 8), (20, 9), (30, 13), (40, 17), (50, 21), (51, 22), (99, 24)):
            with self.subTest(level):
                self.logger.handle(self.logger.makeRecord("x", level, "f", 1, str(level), (), None))
                self.assertEqual(logs(self.path)[-1]["severityNumber"], severity)

    def test_the_time_is_that_of_the_record(self):
        record = self.logger.makeRecord("x", 20, "f", 1, "", (), None)
        record.created = 1.5
        self.logger.handle(record)
        found = self.only_log()
        self.assertEqual(found["timeUnixNano"], "1500000000")
        self.assertGreater(int(found["observedTimeUnixNano"]), 1500000000)

    def test_extra_fields_are_attributes_of_their_own_kind(self):
        self.logger.info("x", extra={"order.id": 4711, "paid": True, "items": ["a", 1], "who": {"name": "n"}})
        found = self.attributes()
        self.assertEqual({key: found[key] for key in ("order.id", "paid", "items", "who")},
                         {"order.id": 4711, "paid": True, "items": ["a", 1], "who": {"name": "n"}})

    def test_more_extra_fields_than_a_stack_holds_arrive(self):
        extra = {f"key{i}": f"value {i}" for i in range(100)}
        self.logger.info("x", extra=extra)
        found = self.attributes()
        self.assertEqual({key: found[key] for key in extra}, extra)

    def test_an_exception_is_type_message_and_stacktrace(self):
        try:
            raise FileNotFoundError("no such order")
        except OSError:
            self.logger.exception("failed")
        found = self.attributes()
        self.assertEqual((found["exception.type"], found["exception.message"]), ("FileNotFoundError", "no such order"))
        self.assertTrue(found["exception.stacktrace"].startswith("Traceback"))
        self.assertIn(self._testMethodName, found["exception.stacktrace"])

    def test_exc_info_without_an_exception_adds_nothing(self):
        self.logger.error("x", exc_info=True)
        self.assertFalse([key for key in self.attributes() if key.startswith("exception.")])

    def test_an_exception_that_came_through_a_queue_keeps_its_stacktrace(self):
        waiting = queue.Queue()
        try:
            raise KeyError("k")
        except KeyError:
            record = self.logger.makeRecord("x", 40, "f", 1, "failed", (), sys.exc_info())
        QueueHandler(waiting).enqueue(QueueHandler(waiting).prepare(record))
        self.logger.handle(waiting.get())
        self.assertTrue("KeyError" in self.attributes().get("exception.stacktrace", "") or "KeyError" in bodies(self.path)[0])

    def test_stack_info_is_an_attribute(self):
        self.logger.info("x", stack_info=True)
        self.assertIn(self._testMethodName, self.attributes()["code.stacktrace"])

    def test_a_message_of_its_own_kind_is_its_str(self):
        self.logger.info({"a": 1})
        self.logger.info(5)
        self.assertEqual(bodies(self.path), ["{'a': 1}", "5"])

    def test_a_single_dict_is_the_argument_of_named_placeholders(self):
        self.logger.info("%(a)s and %(b)s", {"a": 1, "b": 2})
        self.assertEqual(bodies(self.path), ["1 and 2"])

    def test_a_record_class_with_a_message_of_its_own_is_asked_for_it(self):
        class Braces(logging.LogRecord):
            def getMessage(self):
                return self.msg.format(*self.args)

        self.logger.handle(Braces("x", 20, "f", 1, "{} {}", (1, 2), None))
        self.assertEqual(bodies(self.path), ["1 2"])

    def test_a_message_that_cannot_be_formatted_arrives_as_its_parts_and_is_told_of(self):
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            self.logger.info("%d apples", "two")
        self.assertEqual(bodies(self.path), ["%d apples ('two',)"])
        self.assertIn("Logging error", told.getvalue())


class Behaviour(HandlerTest):
    def test_a_formatter_makes_the_body(self):
        self.handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        self.logger.info("x")
        self.assertEqual(bodies(self.path), ["INFO: x"])

    def test_the_formatter_of_basic_config_is_none_that_somebody_asked_for(self):
        self.handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        self.logger.info("x")
        self.assertEqual(bodies(self.path), ["x"])

    def test_levels_and_filters_are_those_of_logging(self):
        self.handler.setLevel(logging.WARNING)
        self.handler.addFilter(lambda record: "secret" not in record.msg)
        self.logger.info("too low")
        self.logger.error("a secret")
        self.logger.error("fine")
        self.assertEqual(bodies(self.path), ["fine"])

    @unittest.skipIf(sys.version_info < (3, 12), "filters replace records from Python 3.12 on")
    def test_a_filter_may_replace_the_record(self):
        self.handler.addFilter(lambda record: self.logger.makeRecord("x", 20, "f", 1, "replaced", (), None))
        self.logger.info("original")
        self.assertEqual(bodies(self.path), ["replaced"])

    def test_dict_config_makes_one(self):
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False,
                                   "handlers": {"ring": {"class": "shmring.Handler", "path": self.path}},
                                   "loggers": {"configured": {"handlers": ["ring"], "level": "INFO"}}})
        logging.getLogger("configured").info("by a dict")
        logging.getLogger("configured").handlers.clear()
        self.assertEqual(records(self.path)[0][0], "configured")

    def test_a_ring_and_options_for_one_exclude_each_other(self):
        self.assertRaises(TypeError, shmring.Handler, self.handler.ring, path="elsewhere")

    def test_each_logger_is_a_scope(self):
        for name in ("a", "b", "a", "c.d"):
            self.logger.handle(self.logger.makeRecord(name, 20, "f", 1, name, (), None))
        self.assertEqual([(scope, plain(record["body"])) for scope, record in records(self.path)].count(("a", "a")), 2)
        self.assertEqual({scope for scope, _ in records(self.path)}, {"a", "b", "c.d"})


class Trouble(HandlerTest):
    def test_threads_that_log_at_once_lose_nothing(self):
        def log_some(thread):
            for number in range(200):
                self.logger.info("%d of %d", number, thread, extra={"thread.number": thread})

        threads = [threading.Thread(target=log_some, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_bodies(f"{number} of {thread}" for thread in range(8) for number in range(200))

    def test_a_message_that_logs_is_two_records(self):
        class Logs:
            def __str__(other):
                self.logger.info("inner", extra={"k": "inner"})
                return "outer"

        self.logger.info("%s", Logs(), extra={"k": Logs(), "z": "outer"})
        self.assertEqual(bodies(self.path), ["inner", "inner", "outer"])
        self.assertEqual(attributes(logs(self.path)[2]["attributes"])["z"], "outer")

    def test_a_message_that_logs_itself_ends_with_pythons_recursion(self):
        class Logs:
            def __str__(other):
                self.logger.info("%s", Logs())
                return "inner"

        with unittest.mock.patch.object(logging, "raiseExceptions", False):
            self.logger.info("%s", Logs())
        self.assertIn("inner", bodies(self.path))
        self.logger.info("after")
        self.assertEqual(bodies(self.path)[-1], "after")

    def test_a_signal_handler_logs_while_its_thread_does(self):
        before = signal.signal(signal.SIGUSR1, lambda number, frame: self.logger.info("inside"))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)

        class Raises:
            def __str__(other):
                signal.raise_signal(signal.SIGUSR1)
                return "outside"

        for _ in range(20):
            self.logger.info("%s", Raises())
        self.assert_bodies(20 * ["inside", "outside"])

    def test_a_record_of_odd_parts_arrives_without_them(self):
        class Odd(Exception):
            @property
            def __cause__(self):
                raise RuntimeError("no")

            def __str__(self):
                raise RuntimeError("no")

        odd_parts = ({"levelno": "x"}, {"levelno": 2**80}, {"created": "now"}, {"name": ["no", "text"]}, {"exc_info": (1, 2)}, {"exc_info": Odd()},
                    {"lineno": "x", "pathname": 5, "funcName": ()}, {5: "five"})
        for number, odd in enumerate(odd_parts):
            record = logging.LogRecord("n", 30, "f", 1, str(number), (), None)
            record.__dict__.update(odd)
            self.handler.handle(record)
        self.assert_bodies(str(number) for number in range(len(odd_parts)))

    def test_a_full_ring_is_no_exception_and_counted(self):
        handler = shmring.Handler(path=f"{self.path}.small", capacity_bytes=1 << 20)
        for _ in range(2000):
            self.logger.handle(self.logger.makeRecord("x", 20, "f", 1, "x" * 1000, (), None))
            handler.handle(self.logger.makeRecord("x", 20, "f", 1, "x" * 1000, (), None))
        status = handler.ring.status()
        self.assertEqual((status["attempted"], status["written"] + status["dropped"]["ring_full"]), (2000, 2000))
        self.assertGreater(status["dropped"]["ring_full"], 0)
        self.assertEqual(len(bodies(handler.ring.path)), status["written"])

    def test_a_ring_that_cannot_be_opened_is_warned_of_once_and_stops_no_program(self):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            handler = shmring.Handler(path="/nowhere/at/all/x.ring", attach_only=True)
            self.logger.addHandler(handler)
            handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
            for _ in range(3):
                self.logger.info("x")
        self.assertIsNone(handler.ring)
        self.assertEqual(bodies(self.path), 3 * ["x"])
        (one,) = told
        self.assertIn("/nowhere/at/all/x.ring", str(one.message))
        self.assertEqual(one.filename, __file__)
        for wrong, error in (({"on_full": "wait"}, ValueError), ({"colour": 1}, TypeError), ({"block_bytes": 5000}, shmring.Error)):
            self.assertRaises(error, shmring.Handler, path=f"{self.path}.wrong", **wrong)

    def test_what_is_logged_while_the_program_ends_arrives(self):
        program = '''if True:
            import atexit, builtins, logging, shmring, sys
            logger = logging.getLogger("ends")
            logger.addHandler(shmring.Handler(path=sys.argv[1]))

            class Late:
                def __init__(self, name):
                    self.itself, self.name, self.logger = self, name, logger
                    self.emit, self.record = logger.handlers[0]._emit, logging.LogRecord("ends", 30, "f", 1, f"sink {name}", (), None)
                def __del__(self):
                    self.emit(self.record)
                    self.logger.warning("logger %s", self.name)

            late, sys.late, builtins.late = Late("of a module"), Late("of sys"), Late("of builtins")
            atexit.register(logger.warning, "at exit")
            logging.shutdown()
            logger.warning("after shutdown")'''
        result = subprocess.run([sys.executable, "-c", program, self.path], stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLessEqual({"after shutdown", "at exit", "sink of a module", "sink of sys", "sink of builtins"}, set(bodies(self.path)))

    def test_nothing_waits_for_the_end_of_the_program(self):
        program = '''if True:
            import atexit, logging, os, sys
            callbacks = atexit._ncallbacks()
            import shmring
            logger = logging.getLogger("ends")
            logger.addHandler(shmring.Handler(path=sys.argv[1]))
            logger.warning("x")
            print(atexit._ncallbacks() - callbacks, "callbacks,", len(os.listdir("/proc/self/task")), "thread")'''
        result = subprocess.run([sys.executable, "-c", program, self.path], stdout=subprocess.PIPE, text=True)
        self.assertEqual((result.stdout, bodies(self.path)), ("0 callbacks, 1 thread\n", ["x"]))


class CurrentSpan(HandlerTest):
    """With a module that answers as OpenTelemetry's does; opentelemetry_test.py has the real one."""

    def test_a_record_belongs_to_the_current_span_once_opentelemetry_is_loaded(self):
        self.logger.info("before")
        none = object()
        context = types.SimpleNamespace(trace_id=7, span_id=8, trace_flags=1)
        current = [types.SimpleNamespace(get_span_context=lambda: context)]
        broken = types.SimpleNamespace(get_span_context=lambda: 1 / 0)
        module = types.ModuleType("opentelemetry.trace")
        module.INVALID_SPAN, module.get_current_span = none, lambda: current[0]
        with unittest.mock.patch.dict(sys.modules, {"opentelemetry.trace": module}):
            self.logger.info("inside")
            current[0] = none
            self.logger.info("outside")
            current[0] = broken
            self.logger.info("broken")
            context.span_id = "no id"
            current[0] = types.SimpleNamespace(get_span_context=lambda: context)
            self.logger.info("half of a context")
        before, inside, outside, in_a_broken_one, in_half_a_one = logs(self.path)
        self.assertEqual((inside["traceId"], inside["spanId"], inside["flags"]), ("0" * 31 + "7", "0" * 15 + "8", 1))
        self.assertNotIn("traceId", before)
        self.assertNotIn("traceId", outside)
        self.assertNotIn("traceId", in_a_broken_one)
        self.assertNotIn("traceId", in_half_a_one)


if __name__ == "__main__":
    unittest.main()
