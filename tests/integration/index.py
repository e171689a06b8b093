"""index.py FOLDER: serves the wheels of a folder as an index of packages on this machine, and prints its port.

Pages, wheels and the metadata of each wheel (PEP 503, PEP 658), with the headers by which installers keep what they get.
"""

import http.server
import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])


def page(name):
    wheels = sorted(path.name for path in folder.glob("*.whl") if path.name.split("-")[0].lower() == name)
    rows = (f'<a href="/files/{wheel}" data-core-metadata="true">{wheel}</a>\n' for wheel in wheels)
    return "".join(rows).encode() if wheels else None


def metadata(path):
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")))


def answer(path):
    parts = [part for part in path.split("/") if part]
    if len(parts) == 2 and parts[0] == "simple":
        return page(parts[1]), "text/html"
    if len(parts) == 2 and parts[0] == "files" and (folder / parts[1].removesuffix(".metadata")).is_file():
        wheel = folder / parts[1].removesuffix(".metadata")
        return (metadata(wheel) if parts[1].endswith(".metadata") else wheel.read_bytes()), "binary/octet-stream"
    return None, None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, kind = answer(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
