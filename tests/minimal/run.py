"""Prove that balm.stats needs NumPy and SciPy alone: its own environment, every module imported, one analysis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
HOME = CHECKOUT / ".venv-minimal"
LOCK = HERE / "requirements.lock"

INSIDE = """
import importlib, pkgutil, sys, warnings
warnings.simplefilter("error")
import balm, balm.stats, balm.vocabulary
walked = 0
for room in (balm.vocabulary, balm.stats):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        if module.name == "balm.stats.kernel._groups":
            continue  # the compiled kernel is a plain library, loaded by ctypes and not as a module
        importlib.import_module(module.name)
        walked += 1
assert walked > 20, walked
es = balm.effect_sizes("RR", events_1=[4, 6, 3], n_1=[123, 306, 231], events_2=[11, 29, 11], n_2=[139, 303, 220])
fit = balm.pool(es)
assert fit.k == 3 and fit.estimate < 0
third_party = {"pandas", "polars", "jinja2", "typst", "pytest", "matplotlib", "django"} & set(sys.modules)
assert not third_party, third_party
print(f"balm.stats and balm.vocabulary: {walked} modules run on NumPy and SciPy alone")
"""


def main() -> None:
    python = HOME / "bin" / "python"
    stamp = HOME / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < LOCK.stat().st_mtime:
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
        pip = [str(python), "-m", "pip", "install", *quiet]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = subprocess.run([str(python), "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
        # the checkout on the path: what is proved is what its modules import, and nothing is compiled a second time
        (Path(packages) / "balm.pth").write_text(f"{CHECKOUT / 'src'}\n", "utf-8")
        stamp.touch()
    subprocess.run([str(python), "-c", INSIDE], check=True, cwd=HERE)


if __name__ == "__main__":
    main()
