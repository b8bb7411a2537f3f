# SPDX-License-Identifier: Apache-2.0
"""`pip install` of the package into a folder of its own, from Debian's setuptools alone, with a library that was built already."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
NEEDED = "import setuptools, ensurepip, pip, wheel, sysconfig, os; assert os.path.exists(sysconfig.get_path('include') + '/Python.h')"


def able_python():
    """The first python3 that can build wheels and make environments."""
    for python in [sys.executable, *(os.path.join(folder, "python3") for folder in os.get_exec_path())]:
        if os.access(python, os.X_OK) and subprocess.run([python, "-c", NEEDED], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    print("skipped: no python3 here has pip, venv, setuptools, wheel and its headers (scripts/bootstrap.sh --test installs them)")
    sys.exit(77)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        source = cls.folder / "bindings/python"  # a copy: setuptools leaves its own files beside setup.py
        shutil.copytree(PROJECT / "bindings/python", source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
        for name in ("include", "libshmring", "LICENSE"):
            (cls.folder / name).symlink_to(PROJECT / name)
        cls.source = source
        cls.python = able_python()
        cls.environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run_it(self, *arguments, **options):
        result = subprocess.run([str(each) for each in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=self.environment, **options)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def test_one_wheel_for_every_cpython_that_needs_nothing_else(self):
        self.run_it(self.python, "-m", "venv", "--system-site-packages", self.folder / "venv")
        python = self.folder / "venv/bin/python"
        self.run_it(python, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", self.folder, ".", cwd=self.source)
        (wheel,) = self.folder.glob("*.whl")
        self.assertIn("-cp39-abi3-linux_", wheel.name)
        if "SHMRING_WHEELS" in os.environ:  # for instrument_test.py
            kept = pathlib.Path(os.environ["SHMRING_WHEELS"])
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir()
            shutil.copy(wheel, kept)
        self.run_it(python, "-m", "pip", "install", "--no-index", wheel)
        listed = "import importlib.metadata as m; print(*sorted(f'{e.group} {e.name}' for e in m.distribution('shmring').entry_points))"
        self.assertEqual(self.run_it(python, "-c", listed).split(), [word for signal in ("logs", "metrics", "traces")
                                                                     for word in (f"opentelemetry_{signal}_exporter", "shmring")])
        ring = self.folder / "test.ring"
        program = f"import shmring, sys; sys.exit(not shmring.open({str(ring)!r}).logger('x').log(9, 'installed'))"
        self.run_it(python, "-P" if sys.version_info >= (3, 11) else "-I", "-c", program, cwd=self.folder)
        self.assertIn("installed", self.run_it(os.environ["SHMRING_PROGRAM"], "dump", ring, "--format", "json"))

    def test_an_sdist_brings_the_library_along(self):
        self.run_it(self.python, "setup.py", "-q", "sdist", "-d", self.folder / "dist", cwd=self.source)
        (archive,) = (self.folder / "dist").glob("*.tar.gz")
        names = {name.partition("/")[2] for name in self.run_it("tar", "-tzf", archive).splitlines()}
        for name in ("library/include/shmring/shmring.h", "library/libshmring/CMakeLists.txt", "library/libshmring/c/records.cpp",
                     "native/values.h", "native/sink.c", "shmring/_handler.py", "shmring/py.typed", "LICENSE"):
            self.assertIn(name, names)


if __name__ == "__main__":
    unittest.main()
