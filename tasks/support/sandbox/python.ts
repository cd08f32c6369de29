/** The Python side of the miniature: two small packages without third parties, tests, things to format. */
export const pyproject = `[tool.poetry]
name = "infrahub-server"
version = "0.9.1"
description = "A miniature of Infrahub, for trying the tasks of its backend guide"
authors = ["taskwright contributors"]
packages = [
  { include = "infrahub", from = "backend" },
  { include = "infrahub_ctl", from = "python_sdk" },
]

[tool.poetry.dependencies]
python = ">=3.8,<3.12"

[tool.poetry.scripts]
infrahub = "infrahub.cli:main"
infrahubctl = "infrahub_ctl.cli:main"

[tool.ruff]
line-length = 120

[build-system]
requires = ["poetry-core>=1.0.0"]
build-backend = "poetry.core.masonry.api"
`;

/** There is nothing to lock: the miniature depends on Python alone. */
export const poetryLock = `package = []

[metadata]
lock-version = "2.0"
python-versions = ">=3.8,<3.12"
content-hash = "51ef51db05c0504d04b71adaeb801f42b6c5b5e62e6411dc64917402f28ad8bc"
`;

/** The environment lies in the checkout, and sees the machine's pytest. */
export const poetryToml = `[virtualenvs]
in-project = true

[virtualenvs.options]
system-site-packages = true
`;

/** The client's own settings, for ruff. It is installed with the server: poetry fails at folders it depends on in odd places. */
export const sdkPyproject = `[tool.ruff]
line-length = 120
`;

/** `infrahub server start`: refuses to start without its services, answers where the real one is asked. */
export const serverCli = `"""The server of the miniature: infrahub server start [--listen HOST] [--port PORT] [--debug]."""

import argparse
import json
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infrahub.schema import problems_of

SERVICES = {"database": 7687, "cache": 6379, "message queue": 5672}


def missing_services():
    missing = []
    for name, port in SERVICES.items():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=3).close()
        except OSError as error:
            missing.append(f"{name} on port {port}: {error}")
    return missing


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        known = ("/api/docs/", "/graphql", "/api/schema/summary")
        self.answer(200 if self.path in known else 404, {"path": self.path})

    def do_POST(self):
        if self.path != "/api/schema/load":
            return self.answer(404, {"path": self.path})
        length = int(self.headers.get("Content-Length", "0"))
        problems = problems_of(json.loads(self.rfile.read(length) or b"{}"))
        return self.answer(422 if problems else 202, {"errors": problems})

    def log_message(self, format, *args):
        if self.server.debug:
            print("server:", format % args, flush=True)


def start(options):
    missing = missing_services()
    if missing:
        print("the server cannot start without its services:", *missing, sep="\\n  ", file=sys.stderr)
        return 1
    server = ThreadingHTTPServer((options.listen, options.port), Handler)
    server.debug = options.debug

    def stop(number, frame):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"server: listening on http://{options.listen}:{options.port}", flush=True)
    server.serve_forever()
    return 0


def main():
    parser = argparse.ArgumentParser(prog="infrahub")
    group = parser.add_subparsers(dest="group", required=True).add_parser("server")
    command = group.add_subparsers(dest="command", required=True).add_parser("start")
    command.add_argument("--listen", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8000)
    command.add_argument("--debug", action="store_true")
    sys.exit(start(parser.parse_args()))
`;

export const serverSchema = `"""What a schema must have: a name and a namespace for every node, both in CamelCase."""

import re

CAMEL_CASE = re.compile(r"^[A-Z][A-Za-z0-9]+$")


def problems_of(schema):
    nodes = schema.get("nodes")
    if not isinstance(nodes, list):
        return ["'nodes' is missing"]
    problems = []
    for position, node in enumerate(nodes):
        for key in ("name", "namespace"):
            if not CAMEL_CASE.match(str(node.get(key, ""))):
                problems.append(f"node {position}: '{key}' must be in CamelCase, got {node.get(key)!r}")
    return problems
`;

/** As the real one: a refusal by the server is printed, and the program exits with 0 all the same. */
export const ctlCli = `"""The client of the miniature: infrahubctl schema load PATH... [--branch NAME]."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request


def load(options):
    address = os.environ.get("INFRAHUB_ADDRESS", "http://localhost:8000")
    for path in options.paths:
        try:
            with open(path, encoding="utf-8") as file:
                schema = json.load(file)
        except (OSError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
        request = urllib.request.Request(
            f"{address}/api/schema/load", data=json.dumps(schema).encode(), headers={"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=int(os.environ.get("INFRAHUB_SDK_TIMEOUT", "10"))).close()
        except urllib.error.HTTPError as error:
            print("Unable to load the schema:")
            for problem in json.load(error)["errors"]:
                print(f"  {problem}")
            return 0
        except OSError as error:
            print(f"the server at {address} cannot be reached: {error}", file=sys.stderr)
            return 1
        print(f"schema '{path}' loaded into branch '{options.branch}'")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="infrahubctl")
    group = parser.add_subparsers(dest="group", required=True).add_parser("schema")
    command = group.add_subparsers(dest="command", required=True).add_parser("load")
    command.add_argument("paths", nargs="+")
    command.add_argument("--branch", default="main")
    sys.exit(load(parser.parse_args()))
`;

export const unitTests = `import os
import socket

import pytest
from infrahub.schema import problems_of


def test_a_node_with_name_and_namespace_is_accepted():
    assert problems_of({"nodes": [{"name": "Device", "namespace": "Infra"}]}) == []


@pytest.mark.parametrize("name", ["device", "", "my device"])
def test_a_name_must_be_in_camel_case(name):
    assert len(problems_of({"nodes": [{"name": name, "namespace": "Infra"}]})) == 1


def test_the_log_level_is_that_of_the_task():
    assert os.environ["INFRAHUB_LOG_LEVEL"] == "CRITICAL"


def test_the_cache_answers():
    with socket.create_connection(("127.0.0.1", 6379), timeout=5) as cache:
        cache.sendall(b"PING\\r\\n")
        assert cache.recv(16).startswith(b"+PONG")
`;

/** Not formatted, on purpose. */
export const untidy = `import os, sys
def answer( question ):
    values = {  'question':question, "length" : len( question )  }
    return values
`;
