"""Networks whose designs disagree at random: two networks under Jackson's model.

Analysis: Law, Jackson, Turner, Rhodes & Viechtbauer 2016 (BMC Med Res Methodol 16:87), two networks with heterogeneity
    and inconsistency as variances
Where: the contrasts of the two example networks, as the test of metafor holds them with their covariances
Compared: basic parameters and both variances, under consistency and under Jackson's
    model of designs
Figures: as metafor's test of the paper checks them, to four decimals
Page: none
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.multilevel import Multilevel, multilevel

HALF = {"contrast | study: rho": 0.5, "contrast | design: rho": 0.5}

FIRST = """CD -0.16561092 0.0294183340466069
CD -0.13597406 0.147112449467866
CE -0.08012604 0.0780588660166125
CF -0.14746890 0.140361934247383
EF 0.09316853 0.0479709251030665
EF -0.15859403 0.0506583523716436
EF -0.22314355 0.235695187165775
FG -0.06744128 2.04499494438827
CH -0.11888254 0.17968120987923
CH -0.06899287 0.735714285714286
BC 0.26917860 0.184889643463497
AB -0.33160986 0.0294022652280727
AB -0.26236426 0.232478632478632
FG -0.39319502 0.857874134296899
AB -0.11557703 0.0219285638496459
EF 0.00000000 0.168131868131868
AE -0.40987456 0.0826973577700322"""

SECOND = """AB -3.61988658 0.9672619
BC 0.00000000 0.4
BC 0.19342045 0.24987648
BC 2.79320801 0.61904762
BC 0.24512246 0.27958937
BC 0.03748309 0.23845689
BD 0.86020127 0.04321419
BD 0.14310084 0.47692308
CD 0.07598591 0.18416468
CD -0.99039870 0.61978022
AB -1.74085310 0.12650164
AD 0.34830670 0.1583906
BC 0.40546510 0.389881
BD 1.91692260 0.5151261
BC -0.32850410 0.4361111
BD 1.07329450 0.5380342"""


def contrasts(text: str) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """The names, effects and variances of a network, and the columns of its treatments against A."""
    names, effects, variances = zip(*(line.split() for line in text.splitlines()), strict=True)
    treatments = sorted(set("".join(names)))[1:]
    columns = np.array([[(name[1] == t) * 1.0 - (name[0] == t) * 1.0 for t in treatments] for name in names])
    return list(names), np.array(effects, dtype=float), np.array(variances, dtype=float), columns


def model(
    text: str, studies: list[int], designs: list[str], v: np.ndarray | None, *, inconsistency: bool
) -> Multilevel:
    names, effects, variances, columns = contrasts(text)
    terms = ["contrast | study", "contrast | design"] if inconsistency else ["contrast | study"]
    shared = v is not None  # without trials of three arms there is nothing for a correlation of one half to join
    return multilevel(
        EffectSizes(effect=effects, variance=variances),
        columns,
        data={"contrast": names, "study": studies, "design": designs},
        random=terms,
        structure=["CS" if shared else "ID"] * len(terms),
        fixed={name: half for name, half in HALF.items() if shared and name.split(":")[0] in terms},
        V=v,
        intercept=False,
        inference="wald",
    )


@pytest.mark.parametrize("inconsistency", [False, True])
def test_first_network_is_consistent(inconsistency: bool) -> None:
    names = contrasts(FIRST)[0]
    fit = model(FIRST, list(range(17)), names, None, inconsistency=inconsistency)
    assert fit.beta == pytest.approx([-0.2243, -0.1667, -0.3274, -0.3152, -0.3520, -0.6489, -0.2758], abs=1e-4)
    assert all(component.covariance.max() < 1e-8 for component in fit.components)


def second(inconsistency: bool) -> Multilevel:
    v = np.diag(contrasts(SECOND)[2])
    v[10, 11] = v[11, 10] = 0.07397504
    v[12, 13] = v[13, 12] = 0.2857143
    v[14, 15] = v[15, 14] = 0.2111111
    studies = [*range(1, 11), 11, 11, 12, 12, 13, 13]
    designs = [*contrasts(SECOND)[0][:10], "ABD", "ABD", "BCD", "BCD", "BCD", "BCD"]
    return model(SECOND, studies, designs, v, inconsistency=inconsistency)


def test_second_network_under_consistency() -> None:
    fit = second(inconsistency=False)
    assert fit.beta == pytest.approx([-1.8847, -1.3366, -0.7402], abs=1e-4)
    assert fit.components[0].covariance.max() == pytest.approx(0.5482, abs=1e-4)


def test_second_network_under_jacksons_model() -> None:
    fit = second(inconsistency=True)
    assert fit.beta == pytest.approx([-1.9735, -1.3957, -0.6572], abs=1e-4)
    found = [component.covariance.max() for component in fit.components]
    assert found == pytest.approx([0.1036, 0.5391], abs=1e-4)
