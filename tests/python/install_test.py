# SPDX-License-Identifier: Apache-2.0
"""`pip install` of the package into a folder of its own, from Debian's setuptools alone, with a library that was built already."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
NEEDED = "import setuptools, ensurepip, pip, wheel, sysconfig, os; assert os.path.exists(sysconfig.get_path('include') + '/Python.h')"

# What setup.py compiles, asked of itself: with neither a compiler nor setup().
SOURCES = '''if True:
    import setuptools
    extensions = []
    setuptools.setup = lambda **options: extensions.extend(options["ext_modules"])
    scope = {"__file__": "setup.py", "__name__": "setup"}
    exec(open("setup.py").read(), scope)
    print(*extensions[0].sources, *("library/" + name for name in scope["library_sources"]()))'''


def missing_includes(folder, sources):
    """What these files, and those that they include, include and is not in the folder."""
    seen, missing, left = set(), set(), [folder / name for name in sources]
    while left:
        file = left.pop()
        for name in re.findall(r'^\s*#\s*include\s*(?:"([^"]+)"|<(shmring/[^>]+)>)', file.read_text(), re.M):
            name = name[0] or name[1]
            places = [place / name for place in (file.parent, folder / "library", folder / "library/include")]
            found = next((place.resolve() for place in places if place.is_file()), None)
            if found is None:
                missing.add(f"{file.relative_to(folder)}: {name}")
            elif found not in seen:
                seen.add(found)
                left.append(found)
    return missing


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
        self.run_it("tar", "-xzf", archive, "-C", self.folder / "dist")
        unpacked = next(path.parent for path in (self.folder / "dist").glob("*/setup.py"))
        named = self.run_it(self.python, "-c", SOURCES, cwd=unpacked).split()
        for name in (*named, "LICENSE", "README.md", "shmring/py.typed", "shmring/_native.pyi", "shmring/opentelemetry/_otlp.py"):
            self.assertTrue((unpacked / name).is_file(), name)
        self.assertGreater(len(named), 20)
        self.assertEqual(missing_includes(unpacked, named), set())


if __name__ == "__main__":
    unittest.main()
