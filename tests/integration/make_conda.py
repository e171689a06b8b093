"""make_conda.py FOLDER CACHE ENVIRONMENT…: environments as conda's family makes them, by the library behind pixi.

Two packages without content come from a channel in FOLDER: nothing is fetched, and nothing of them can run.
"""

import asyncio
import hashlib
import io
import json
import pathlib
import sys
import tarfile

import rattler
from rattler.index import index_fs

folder, cache, *environments = map(pathlib.Path, sys.argv[1:])
channel = folder / "channel"
info = "site-packages/sample-1.2.3.dist-info"


def package(subdir, name, version, build, files, **more):
    """A package of the older form, a tar archive."""
    index = {"name": name, "version": version, "build": build, "build_number": 0, "depends": [], "subdir": subdir}
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_in_bytes": len(text.encode()),
        }
        for path, text in files.items()
    ]
    content = {
        **files,
        # A channel wants the time at which a package was made.
        "info/index.json": json.dumps({**index, "timestamp": 1700000000000, **more}),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
        "info/files": "".join(path + "\n" for path in files),
    }
    if "noarch" in more:
        content["info/link.json"] = json.dumps({"noarch": {"type": "python"}, "package_metadata_version": 1})
    (channel / subdir).mkdir(parents=True, exist_ok=True)
    with tarfile.open(channel / subdir / f"{name}-{version}-{build}.tar.bz2", "w:bz2") as archive:
        for path, text in content.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


async def make():
    stdlib = {"bin/python3.11": "#!/bin/sh\n", "lib/python3.11/os.py": ""}
    package("linux-64", "python", "3.11.7", "h0_0_cpython", stdlib)
    module = {
        "site-packages/sample/__init__.py": "__version__ = '1.2.3'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.2.3\n\n",
        f"{info}/INSTALLER": "conda",
    }
    package("noarch", "sample", "1.2.3", "py_0", module, noarch="python", depends=["python"])
    await index_fs(channel)
    platform = rattler.Subdir("linux-64")
    source = [rattler.Channel(channel.as_uri())]
    found = await rattler.solve(source, ["sample"], platforms=[platform, "noarch"])
    for prefix in environments:
        await rattler.install(found, prefix, cache_dir=cache, platform=platform, show_progress=False)


asyncio.run(make())
