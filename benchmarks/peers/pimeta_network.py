"""pimeta's network meta-analysis, run in the peers' environment: one fit a process. Prints one JSON line."""

import csv
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")

if __name__ == "__main__":
    import pimeta

    with open(sys.argv[1], newline="") as handle:
        rows = list(csv.DictReader(handle))
    effect, se = ([float(row[name]) for row in rows] for name in ("effect", "se"))
    one, two, study = ([row[name] for row in rows] for name in ("treatment_1", "treatment_2", "study"))
    few = slice(0, 20)  # what is loaded on first use is not counted
    pimeta.netmeta(effect[few], se[few], one[few], two[few], study[few], sm="MD")
    start = time.process_time()
    found = pimeta.netmeta(effect, se, one, two, study, sm="MD")
    spent = time.process_time() - start
    print(json.dumps({"seconds": spent, "numbers": [float(found.tau2), float(found.Q)]}))
