#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference case: a ProcessPoolExecutor, 8 workers, 1000 tasks with one log record each. What arrives at the server, how long a task takes,
and how much CPU: OpenTelemetry's processors beside shmring's, against the same server on 127.0.0.1.

usage: reference_case.py --flusher PATH [--tasks N] [--methods fork,spawn,forkserver] [--rows batch,simple,flush,processor,handler] [--json]

Needs the packages of tests/python/requirements.txt, and shmring.
"""

import argparse
import concurrent.futures
import gzip
import http.server
import json
import logging
import multiprocessing
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROWS = {
    "batch": "BatchLogRecordProcessor",
    "simple": "SimpleLogRecordProcessor",
    "flush": "BatchLogRecordProcessor, `force_flush` in each task",
    "processor": "`shmring.opentelemetry`",
    "handler": "`shmring.Handler`",
}
WORKERS = 8


def set_up(row):
    """As a program does it, when it is loaded: gives what a task logs with."""
    if row == "handler":
        import shmring

        logger = logging.getLogger("tasks")
        logger.addHandler(shmring.Handler())
        return lambda text: logger.warning(text)
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor

    if row == "processor":
        from shmring.opentelemetry import ShmRingLogRecordProcessor

        processor = ShmRingLogRecordProcessor()
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        processor = (SimpleLogRecordProcessor if row == "simple" else BatchLogRecordProcessor)(OTLPLogExporter())
    provider = LoggerProvider()
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("tasks")

    def log(text):
        logger.emit(LogRecord(timestamp=time.time_ns(), severity_number=SeverityNumber.WARN, severity_text="WARNING", body=text))
        if row == "flush":
            provider.force_flush()

    return log


# Children of `spawn` and `forkserver` load this file again, under another name.
if "REFERENCE_CASE_ROW" in os.environ and __name__ in ("__main__", "__mp_main__"):
    log = set_up(os.environ["REFERENCE_CASE_ROW"])


def task(number):
    begin = time.perf_counter_ns()
    log(f"task {number}")
    return time.perf_counter_ns() - begin


def cpu_seconds():
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def run_tasks(method, tasks):
    """In a process of its own, so that its CPU is that of the program and its workers."""
    before, begin = cpu_seconds(), time.perf_counter()
    with concurrent.futures.ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context(method)) as pool:
        durations = sorted(pool.map(task, range(tasks)))
    done = time.perf_counter()
    print(json.dumps({"p50_us": durations[len(durations) // 2] / 1e3, "p99_us": durations[len(durations) * 99 // 100] / 1e3,
                      "cpu_s": cpu_seconds() - before, "wall_s": done - begin}), flush=True)


class Server(http.server.ThreadingHTTPServer):
    """Takes OTLP/HTTP log requests, and remembers each body."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrived, self.lock = set(), threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        request = ExportLogsServiceRequest.FromString(data)
        bodies = {record.body.string_value for res in request.resource_logs for scope in res.scope_logs for record in scope.log_records}
        with self.server.lock:
            self.server.arrived |= bodies
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def measure(row, method, tasks, flusher):
    server = Server()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = str(pathlib.Path(folder) / "reference.ring")
        environment = dict(os.environ, REFERENCE_CASE_ROW=row, SHMRING_PATH=path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        flushing, flusher_cpu = None, 0.0
        if row in ("processor", "handler"):
            flushing = subprocess.Popen([flusher, "--ring", path, "--exporter", "otlp", "--endpoint", endpoint], stderr=subprocess.DEVNULL)
        try:
            output = subprocess.run([sys.executable, __file__, "--run", method, "--tasks", str(tasks)], env=environment, check=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        finally:
            if flushing is not None:
                flushing.send_signal(signal.SIGTERM)  # exports what is left, and ends
                _, _, usage = os.wait4(flushing.pid, 0)
                flushing.returncode = 0
                flusher_cpu = usage.ru_utime + usage.ru_stime
    server.shutdown()
    server.server_close()
    return {"row": row, "method": method, "tasks": tasks, "arrived": len(server.arrived), "flusher_cpu_s": flusher_cpu, **json.loads(output)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flusher", default="shmring-flusher")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--methods", default="fork,spawn,forkserver")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        return run_tasks(options.run, options.tasks)
    if not options.json:
        print("| start method | with | arrived | p50 per task | p99 per task | CPU, all workers | + flusher |\n|---|---|---|---|---|---|---|")
    for method in options.methods.split(","):
        for row in options.rows.split(","):
            found = measure(row, method, options.tasks, options.flusher)
            if options.json:
                print(json.dumps(found), flush=True)
                continue
            flusher = f"{found['flusher_cpu_s']:.2f} s" if row in ("processor", "handler") else ""
            print(f"| {method} | {ROWS[row]} | {found['arrived']} of {found['tasks']} | {found['p50_us']:.0f} us | {found['p99_us']:.0f} us | "
                  f"{found['cpu_s']:.2f} s | {flusher} |", flush=True)


if __name__ == "__main__":
    main()
