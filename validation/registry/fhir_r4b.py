"""Every resource of an exported bundle against the R4B models of fhir.resources (8.x), which balm does not depend on.

In an environment of its own: ``pip install fhir.resources && python validation/registry/fhir_r4b.py bundle.json``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter


def main(path: str) -> int:
    from fhir.resources.R4B import get_fhir_model_class

    with open(path, encoding="utf-8") as source:
        bundle = json.load(source)
    wrong = 0
    counts: Counter[str] = Counter()
    for entry in bundle["entry"]:
        resource = entry["resource"]
        counts[resource["resourceType"]] += 1
        try:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        except ValueError as error:
            wrong += 1
            print(f"{resource['resourceType']} {resource['id']}: {error}", file=sys.stderr)
    get_fhir_model_class("Bundle").model_validate({**bundle, "entry": bundle["entry"][:50]})
    print(dict(counts), "wrong:", wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
