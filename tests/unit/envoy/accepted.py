#!/usr/bin/env python3
"""Does Envoy take what we make? Runs `envoy --mode validate` over the goldens.

    accepted.py SOURCE_DIR

Without an Envoy (.envoy/ of the checkout, else PATH) it exits 77: skipped.
"""
import glob
import os
import sys

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
import envoy_validate  # noqa: E402  (needs the path above)

FILES = {os.path.basename(path): path for path in
         sorted(glob.glob(os.path.join(SOURCE, "tests/unit/envoy/golden/*")))}
sys.exit(envoy_validate.check(
    SOURCE, {n: p for n, p in FILES.items() if n.endswith(".json")},
    {n: p for n, p in FILES.items() if not n.endswith(".json")}))
