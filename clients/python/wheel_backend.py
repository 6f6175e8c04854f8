"""Packs dure.py into a wheel (PEP 517, PEP 427). In this folder, so that `pip install` needs nothing else: no setuptools, no wheel, no network."""

import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

FILES = ("dure.py", "README.md", "pyproject.toml", "wheel_backend.py")


def _read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def _version():
    return re.search('^__version__ = "(.+)"', _read("dure.py"), re.MULTILINE).group(1)


def _metadata():
    project = _read("pyproject.toml")
    said = {key: re.search(f'^{key} = "(.+)"', project, re.MULTILINE).group(1) for key in ("name", "description", "requires-python")}
    return (f"Metadata-Version: 2.1\nName: {said['name']}\nVersion: {_version()}\nSummary: {said['description']}\n"
            f"License: Apache-2.0\nRequires-Python: {said['requires-python']}\nDescription-Content-Type: text/markdown\n\n{_read('README.md')}")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"dure-{_version()}.dist-info"
    files = {
        "dure.py": _read("dure.py"),
        f"{info}/METADATA": _metadata(),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: dure\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    name = f"dure-{_version()}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, text in files.items():
            wheel.writestr(zipfile.ZipInfo(path), text.encode())
    return name


def build_sdist(sdist_directory, config_settings=None):
    folder = f"dure-{_version()}"
    with tarfile.open(os.path.join(sdist_directory, folder + ".tar.gz"), "w:gz") as archive:
        for path, text in {**{name: _read(name) for name in FILES}, "PKG-INFO": _metadata()}.items():
            entry = tarfile.TarInfo(f"{folder}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return folder + ".tar.gz"
