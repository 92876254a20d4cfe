"""The main job: predict the band gap of crystals that the model has not seen.

    python benchmarks/demo.py

The same as `sklearn-cloud demo --overwrite`.
"""

import sys

from sklearn_cloud.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["demo", "--overwrite", *sys.argv[1:]]))
