"""make_pixi_lock.py FILE: a pixi.lock, as the library behind pixi writes it, of two packages of conda and one of the index."""

import sys

from rattler import LockChannel, LockFile, LockPlatform, PackageRecord, RepoDataRecord
from rattler.package import BuildString

channel = "https://conda.anaconda.org/conda-forge/"
platform = LockPlatform("linux-64")
lock = LockFile([platform])
lock.set_channels("default", [LockChannel(channel)])
for name, version in [("litellm", "1.82.7"), ("sample", "1.0")]:
    record = PackageRecord(
        name, version, BuildString("py_0"), 0, "noarch", sha256=bytes.fromhex("ab" * 32), noarch="python", depends=["python"]
    )
    file = f"{name}-{version}-py_0.conda"
    lock.add_conda_package("default", platform, RepoDataRecord(record, file, f"{channel}noarch/{file}", channel))
wheel = "https://files.pythonhosted.org/packages/litellm-1.82.8-py3-none-any.whl"
lock.add_pypi_package("default", platform, "litellm", "1.82.8", wheel)
lock.to_path(sys.argv[1])
