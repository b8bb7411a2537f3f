# SPDX-License-Identifier: Apache-2.0
"""scripts/bootstrap.sh in a PATH of our own making: what is missing, who we are and apt-get are all make-believe."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BOOTSTRAP = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bootstrap.sh"
USED = ("bash", "cat", "env", "awk", "sed", "sort", "tr")
PROGRAMS = ("c++", "cmake", "ninja", "pkg-config", "protoc")
# A compiler that finds every header, or none: the script asks it with __has_include.
ALL_HEADERS = "cat >/dev/null"
NO_HEADERS = "awk '$1 == \"MISSING\"'"
APT_GET = 'echo "apt-get $*" >>"$LOG"; case " $* " in *" install "*) %s ;; esac'


class Bootstrap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = pathlib.Path(folder.name)
        self.log = self.bin / "apt.log"
        for name in USED:
            os.symlink(shutil.which(name), self.bin / name)
        for name in PROGRAMS:
            self.program(name, "exit 0")
        self.program("c++", ALL_HEADERS)
        self.program("id", "echo 0")
        self.program("apt-get", APT_GET % ":")

    def program(self, name, script):
        path = self.bin / name
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        path.chmod(0o755)

    def run_it(self, *arguments):
        environment = {"PATH": str(self.bin), "LOG": str(self.log)}
        result = subprocess.run([self.bin / "bash", BOOTSTRAP, *arguments], env=environment, text=True, capture_output=True)
        return result.returncode, result.stdout + result.stderr

    def apt_calls(self):
        return self.log.read_text() if self.log.exists() else ""

    def test_says_and_does_nothing_when_all_is_there(self):
        self.assertEqual(self.run_it("--build"), (0, ""))
        self.assertEqual(self.apt_calls(), "")

    def test_names_what_is_missing_and_installs_nothing_when_told_not_to(self):
        (self.bin / "protoc").unlink()
        code, output = self.run_it("--build", "--no-install")
        self.assertEqual(code, 1)
        self.assertIn("protobuf-compiler", output)
        self.assertNotIn("cmake", output)
        self.assertEqual(self.apt_calls(), "")

    def test_installs_just_what_is_missing_after_an_update(self):
        (self.bin / "protoc").unlink()
        self.program("apt-get", APT_GET % 'mv "${0%/*}/protoc.new" "${0%/*}/protoc"')
        self.program("protoc.new", "exit 0")
        os.symlink(shutil.which("mv"), self.bin / "mv")
        code, _ = self.run_it("--build")
        self.assertEqual(code, 0)
        update, install = self.apt_calls().splitlines()
        self.assertTrue(update.endswith(" update"))
        self.assertTrue(install.endswith(" install --no-install-recommends protobuf-compiler"))

    def test_an_installation_that_did_not_help_is_an_error(self):
        (self.bin / "ninja").unlink()
        code, output = self.run_it("--build")
        self.assertEqual(code, 1)
        self.assertIn("still missing after apt-get install: ninja-build", output)

    def test_a_missing_header_means_its_package(self):
        self.program("c++", NO_HEADERS)
        code, output = self.run_it("--build", "--no-install")
        self.assertEqual(code, 1)
        for package in ("libboost-dev", "libfmt-dev", "nlohmann-json3-dev"):
            self.assertIn(package, output)

    def test_a_missing_python_module_means_its_package(self):
        self.program("python3", 'case "$2" in *"(\'wheel\')"*) exit 1 ;; esac')
        output = self.run_it("--test", "--no-install")[1].splitlines()[0].split()
        self.assertIn("python3-wheel", output)
        self.assertNotIn("python3-setuptools", output)

    def test_without_python_all_that_belongs_to_it_is_asked_for(self):
        output = self.run_it("--test", "--no-install")[1].splitlines()[0].split()
        for package in ("python3", "python3-dev", "python3-pip", "python3-setuptools", "python3-venv", "python3-wheel"):
            self.assertIn(package, output)

    def test_without_a_compiler_every_header_counts_as_missing(self):
        (self.bin / "c++").unlink()
        code, output = self.run_it("--build", "--no-install")
        self.assertEqual(code, 1)
        self.assertIn("g++ libboost-dev", output)

    def test_sets_add_up(self):
        code, output = self.run_it("--bench", "--test", "--no-install")
        self.assertEqual(code, 1)
        for package in ("clang", "musl-tools", "python3", "strace"):
            self.assertIn(package, output)
        self.assertNotIn("qemu-user", output)

    def test_rivals_belong_to_the_benchmarks_alone(self):
        self.program("c++", NO_HEADERS)
        rivals = ("libconcurrentqueue-dev", "liblttng-ust-dev", "lttng-tools")
        of_bench, of_test = self.run_it("--bench", "--no-install")[1], self.run_it("--test", "--no-install")[1]
        for package in rivals:
            self.assertIn(package, of_bench)
            self.assertNotIn(package, of_test)

    def test_a_package_of_two_sets_is_asked_for_once(self):
        code, output = self.run_it("--test", "--aarch64", "--no-install")
        self.assertEqual(code, 1)
        self.assertIn("qemu-user", output)
        self.assertEqual(output.splitlines()[0].split().count("g++-aarch64-linux-gnu"), 1)

    def test_goes_through_sudo_when_not_root(self):
        (self.bin / "protoc").unlink()
        self.program("id", "echo 1000")
        self.program("sudo", 'echo "sudo $1" >>"$LOG"; exec "$@"')
        self.run_it("--build")
        self.assertEqual(self.apt_calls().splitlines()[0], "sudo env")

    def test_neither_root_nor_sudo_is_an_error_that_says_what_to_do(self):
        (self.bin / "protoc").unlink()
        self.program("id", "echo 1000")
        code, output = self.run_it("--build")
        self.assertEqual(code, 1)
        for words in ("apt-get install protobuf-compiler", "--no-install --prefix"):
            self.assertIn(words, output)
        self.assertEqual(self.apt_calls(), "")

    def test_an_unknown_option_is_wrong_usage(self):
        self.assertEqual(self.run_it("--everything")[0], 2)


if __name__ == "__main__":
    unittest.main()
