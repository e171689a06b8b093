"""make_wheel.py FOLDER NAME VERSION [PTH]: writes a wheel of three short text files, which does nothing.

With PTH, the wheel also brings a start-up file of that name, listed in RECORD as the wheel of an attack would list it.
Its one line looks up an environment variable and forgets it.
"""

import base64
import hashlib
import sys
import zipfile

folder, name, version, *pth = sys.argv[1:]
info = f"{name}-{version}.dist-info"
files = {
    f"{name}/__init__.py": f"__version__ = '{version}'\n",
    f"{name}/cli.py": "def main():\n    return 0\n",
    f"{name}/data.txt": "an inert stand-in\n",
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: an inert stand-in\n\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: make_wheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}.cli:main\n",
}
if pth:
    files[pth[0]] = "import os; os.environ.get('AV_TEST')  # inert\n"


def row(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}\n"


files[f"{info}/RECORD"] = "".join(row(*item) for item in files.items()) + f"{info}/RECORD,,\n"
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
