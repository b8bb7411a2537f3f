# SPDX-License-Identifier: Apache-2.0
"""Builds shmring._native: our C files and the library itself in one shared object, so that the wheel needs nothing beside it.

The library's sources are those of the repository that this folder is in; an sdist brings a copy of them in `library/`. SHMRING_STATIC_LIBRARY
names a libshmring.a that was built already (with position-independent code), and then only our C files are compiled.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
COPY = HERE / "library"
LIBRARY = COPY if COPY.is_dir() else REPOSITORY
if not (LIBRARY / "libshmring").is_dir():
    raise SystemExit(f"shmring: no sources of the library in {LIBRARY}; build from the repository, or from an sdist made there")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    raise SystemExit("shmring: this is a free-threaded Python, which has no limited API to build for; use one with the GIL")


def version():
    header = (LIBRARY / "include/shmring/version.hpp").read_text()
    return ".".join(re.search(rf"kVersion{part} = (\d+)", header).group(1) for part in ("Major", "Minor", "Patch"))


def library_sources():
    """What CMakeLists.txt lists for the library."""
    listed = (LIBRARY / "libshmring/CMakeLists.txt").read_text()
    block = re.search(r"add_library\(shmring_objects OBJECT(.*?)\)", listed, re.S).group(1)
    return [f"libshmring/{name}" for name in re.sub(r"#.*", "", block).split()]


class BuildExt(build_ext):
    """Compiles the library's files as C++20, two or more at a time, and ours as C."""

    def build_extension(self, extension):
        prebuilt = os.environ.get("SHMRING_STATIC_LIBRARY")
        if prebuilt:
            extension.extra_objects = [prebuilt]
        else:
            extension.extra_objects = self.compile_library()
        super().build_extension(extension)

    def compile_library(self):
        macros = [("NDEBUG", None), ("_GNU_SOURCE", None)]
        options = ["-std=c++20", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-fno-plt"]
        include_dirs = [str(LIBRARY), str(LIBRARY / "include")]

        def compiled(source):
            return self.compiler.compile([str(LIBRARY / source)], str(pathlib.Path(self.build_temp).resolve()), macros, include_dirs,
                                         extra_postargs=options)

        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return [name for names in pool.map(compiled, library_sources()) for name in names]


class Sdist(sdist):
    """Puts a copy of the library's sources into the sdist."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        copy = pathlib.Path(base_dir) / "library"
        if copy.exists():
            return
        for folder in ("include", "libshmring"):
            shutil.copytree(LIBRARY / folder, copy / folder)
        shutil.copy(LIBRARY / "LICENSE", base_dir)


setup(
    version=version(),
    license="Apache-2.0",
    ext_modules=[
        Extension(
            "shmring._native",
            sources=[f"native/{name}.c" for name in ("module", "ring", "emitters", "sink", "values", "arguments")],
            include_dirs=[str(LIBRARY / "include"), "native"],
            extra_compile_args=["-std=c11", "-O2", "-fvisibility=hidden"],
            extra_link_args=["-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,--exclude-libs,ALL"],
            libraries=["stdc++", "pthread", "dl"],
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
    cmdclass={"build_ext": BuildExt, "sdist": Sdist},
)
