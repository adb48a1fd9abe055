"""schemathesis: thousands of requests made from /openapi.json; no answer may be a 5xx or another than the document says."""
import json
import math
import os
import subprocess
import sys
import tempfile
import urllib.request

from task import KEY, URL, run, task

CASES = int(os.environ.get("VERNAL_SCHEMATHESIS_CASES", "2000"))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def count_operations():
    with urllib.request.urlopen(f"{URL}/openapi.json") as answer:
        return sum(len(item) for item in json.load(answer)["paths"].values())


@task
def requests_of_every_kind_are_answered_as_described():
    command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", f"{URL}/openapi.json", "--url", URL,
               "--header", f"Authorization: Bearer {KEY}", "--max-examples", str(math.ceil(CASES / count_operations())), "--seed", "1",
               "--checks", CHECKS,
               "--request-timeout", "600", "--no-color"]
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(result.stdout[-4000:])
    assert result.returncode == 0, result.stdout[-6000:]


run()
