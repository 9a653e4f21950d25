"""Where the formulas are published."""

from __future__ import annotations


def handbook(section: str) -> str:
    """The Cochrane Handbook, by section."""
    return f"Cochrane Handbook version 6.5, section {section}"


ALTMAN = "Altman & Andersen (1999), BMJ 319:1492"
HOZO = "Hozo, Djulbegovic & Hozo (2005), BMC Med Res Methodol 5:13"
WALTER = "Walter & Yao (2007), J Clin Epidemiol 60:849"
WAN = "Wan, Wang, Liu & Tong (2014), BMC Med Res Methodol 14:135"
BLAND = "Bland (2015), Int J Stat Med Res 4:57"
LUO = "Luo, Wan, Liu & Tong (2018), Stat Methods Med Res 27:1785"
SHI = "Shi, Luo, Weng, Zeng, Lin, Chu & Tong (2020), Res Synth Methods 11:641"
SHI_TEST = "Shi, Luo, Wan, Liu, Liu, Bian & Tong (2023), Stat Methods Med Res 32:1338"
BORENSTEIN_7 = "Borenstein, Hedges, Higgins & Rothstein (2009), Introduction to Meta-Analysis, chapter 7"
