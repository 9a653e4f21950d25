"""The works that methods paragraphs cite, in full."""

from __future__ import annotations

#: "Author year" as it stands in the text -> the full reference.
REFERENCES = {
    "Brannick et al. 2019": (
        "Brannick MT, Potter SM, Benitez B, Morris SB. Bias and precision of alternate estimators in meta-"
        "analysis: benefits of blending Schmidt-Hunter and Hedges approaches. Organ Res Methods "
        "2019;22:490-514."
    ),
    "Cochrane Handbook": (
        "Higgins JPT, Thomas J, Chandler J, et al, editors. Cochrane Handbook for Systematic Reviews of "
        "Interventions. Version 6.5. Cochrane; 2024."
    ),
    "Core GRADE 2025": (
        "Guyatt G, Agoritsas T, Brignardello-Petersen R, et al. Core GRADE 1: overview of the Core GRADE approach. "
        "BMJ 2025;389:e081903."
    ),
    "Cochran 1954": (
        "Cochran WG. The combination of estimates from different experiments. Biometrics 1954;10:101-129."
    ),
    "DerSimonian & Kacker 2007": (
        "DerSimonian R, Kacker R. Random-effects model for meta-analysis of clinical trials: an update. "
        "Contemp Clin Trials 2007;28:105-114."
    ),
    "DerSimonian & Laird 1986": (
        "DerSimonian R, Laird N. Meta-analysis in clinical trials. Control Clin Trials 1986;7:177-188."
    ),
    "Dias et al. 2010": (
        "Dias S, Welton NJ, Caldwell DM, Ades AE. Checking consistency in mixed treatment comparison "
        "meta-analysis. Stat Med 2010;29:932-944."
    ),
    "Doi et al. 2015": (
        "Doi SAR, Barendregt JJ, Khan S, Thalib L, Williams GM. Advances in the meta-analysis of "
        "heterogeneous clinical trials I: the inverse variance heterogeneity model. Contemp Clin Trials "
        "2015;45:130-138."
    ),
    "Firth 1993": ("Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38."),
    "Greenland & Robins 1985": (
        "Greenland S, Robins JM. Estimation of a common effect parameter from sparse follow-up data. "
        "Biometrics 1985;41:55-68."
    ),
    "Hardy & Thompson 1996": (
        "Hardy RJ, Thompson SG. A likelihood approach to meta-analysis with random effects. Stat Med 1996;15:619-629."
    ),
    "Hartung & Knapp 2001": (
        "Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical trials with binary"
        " outcome. Stat Med 2001;20:3875-3889."
    ),
    "Hedges 1983": ("Hedges LV. A random effects model for effect sizes. Psychol Bull 1983;93:388-395."),
    "Heinze & Schemper 2002": (
        "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med "
        "2002;21:2409-2419."
    ),
    "Henmi & Copas 2010": (
        "Henmi M, Copas JB. Confidence intervals for random effects meta-analysis and robustness to "
        "publication bias. Stat Med 2010;29:2969-2983."
    ),
    "Higgins & Thompson 2002": (
        "Higgins JPT, Thompson SG. Quantifying heterogeneity in a meta-analysis. Stat Med 2002;21:1539-1558."
    ),
    "Higgins et al. 2009": (
        "Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects meta-analysis. J R "
        "Stat Soc A 2009;172:137-159."
    ),
    "Higgins et al. 2012": (
        "Higgins JPT, Jackson D, Barrett JK, Lu G, Ades AE, White IR. Consistency and inconsistency in "
        "network meta-analysis: concepts and models for multi-arm studies. Res Synth Methods 2012;3:98-110."
    ),
    "Hunter & Schmidt 2004": ("Hunter JE, Schmidt FL. Methods of Meta-Analysis. 2nd ed. Thousand Oaks: Sage, 2004."),
    "Jackson 2013": (
        "Jackson D. Confidence intervals for the between-study variance in random effects meta-analysis using"
        " generalised Cochran heterogeneity statistics. Res Synth Methods 2013;4:220-229."
    ),
    "Kenward & Roger 1997": (
        "Kenward MG, Roger JH. Small sample inference for fixed effects from restricted maximum likelihood. "
        "Biometrics 1997;53:983-997."
    ),
    "Krahn et al. 2013": (
        "Krahn U, Binder H, König J. A graphical tool for locating inconsistency in network meta-analyses. "
        "BMC Med Res Methodol 2013;13:35."
    ),
    "Kuss 2015": (
        "Kuss O. Statistical methods for meta-analyses including information from studies without any events-add "
        "nothing to nothing and succeed nevertheless. Stat Med 2015;34:1097-1116."
    ),
    "Mantel & Haenszel 1959": (
        "Mantel N, Haenszel W. Statistical aspects of the analysis of data from retrospective studies of "
        "disease. J Natl Cancer Inst 1959;22:719-748."
    ),
    "Morris 1983": (
        "Morris CN. Parametric empirical Bayes inference: theory and applications. J Am Stat Assoc 1983;78:47-55."
    ),
    "Nagashima et al. 2019": (
        "Nagashima K, Noma H, Furukawa TA. Prediction intervals for random-effects meta-analysis: a confidence "
        "distribution approach. Stat Methods Med Res 2019;28:1689-1702."
    ),
    "Papakonstantinou et al. 2018": (
        "Papakonstantinou T, Nikolakopoulou A, Rücker G, et al. Estimating the contribution of studies in "
        "network meta-analysis: paths, flows and streams. F1000Res 2018;7:610."
    ),
    "Partlett & Riley 2017": (
        "Partlett C, Riley RD. Random effects meta-analysis: coverage performance of 95% confidence and "
        "prediction intervals following REML estimation. Stat Med 2017;36:301-317."
    ),
    "Paule & Mandel 1982": (
        "Paule RC, Mandel J. Consensus values and weighting factors. J Res Natl Bur Stand 1982;87:377-385."
    ),
    "Robins et al. 1986": (
        "Robins J, Breslow N, Greenland S. Estimators of the Mantel-Haenszel variance consistent in both "
        "sparse data and large-strata limiting models. Biometrics 1986;42:311-323."
    ),
    "Röver et al. 2015": (
        "Röver C, Knapp G, Friede T. Hartung-Knapp-Sidik-Jonkman approach and its modification for random-"
        "effects meta-analysis with few studies. BMC Med Res Methodol 2015;15:99."
    ),
    "Rücker & Schwarzer 2014": (
        "Rücker G, Schwarzer G. Reduce dimension or reduce weights? Comparing two approaches to multi-arm "
        "studies in network meta-analysis. Stat Med 2014;33:4353-4369."
    ),
    "Rücker & Schwarzer 2015": (
        "Rücker G, Schwarzer G. Ranking treatments in frequentist network meta-analysis works without "
        "resampling methods. BMC Med Res Methodol 2015;15:58."
    ),
    "Rücker 2012": (
        "Rücker G. Network meta-analysis, electrical networks and graph theory. Res Synth Methods 2012;3:312-324."
    ),
    "Sato 1989": (
        "Sato T. On the variance estimator for the Mantel-Haenszel risk difference. Biometrics 1989;45:1323-1324."
    ),
    "Sidik & Jonkman 2005": (
        "Sidik K, Jonkman JN. Simple heterogeneity variance estimation for meta-analysis. J R Stat Soc C "
        "2005;54:367-384."
    ),
    "Stijnen et al. 2010": (
        "Stijnen T, Hamza TH, Özdemir P. Random effects meta-analysis of event outcome in the framework of the "
        "generalized linear mixed model with applications in sparse data. Stat Med 2010;29:3046-3067."
    ),
    "Turner et al. 2000": (
        "Turner RM, Omar RZ, Yang M, Goldstein H, Thompson SG. A multilevel model framework for meta-analysis of "
        "clinical trials with binary outcomes. Stat Med 2000;19:3417-3432."
    ),
    "Viechtbauer 2005": (
        "Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects model."
        " J Educ Behav Stat 2005;30:261-293."
    ),
    "Viechtbauer 2007": (
        "Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis. Stat Med 2007;26:37-52."
    ),
    "Viechtbauer 2021": (
        "Viechtbauer W. Median-unbiased estimators for the amount of heterogeneity in meta-analysis. European"
        " Congress of Methodology, Valencia, 2021."
    ),
    "Yusuf et al. 1985": (
        "Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Beta blockade during and after myocardial "
        "infarction: an overview of the randomized trials. Prog Cardiovasc Dis 1985;27:335-371."
    ),
}
